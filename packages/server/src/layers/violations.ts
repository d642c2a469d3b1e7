import { create } from "@bufbuild/protobuf";
import { type Violation, violationsToProto } from "@bufbuild/protovalidate";
import { Code, ConnectError } from "@connectrpc/connect";

/** The answer to a request that breaks its contract: every violation in the message, and as a `buf.validate.Violations` detail. */
export function toConnectError(violations: Violation[]): ConnectError {
  const [message, schema] = violationsToProto(violations);
  const words = violations.map((violation) => violation.toString()).join("; ");
  const error = new ConnectError(words, Code.InvalidArgument);
  error.details.push({ desc: schema, value: create(schema, message) });
  return error;
}
