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

/**
 * The answer to a field that no rule of the contract can refuse, such as a forged page token: said in the same way. `path`
 * goes from the request, in the contract's spelling: "page_token", "user.name".
 */
export function invalidField(path: string, description: string): ConnectError {
  const [, schema] = violationsToProto([]);
  const elements = path.split(".").map((fieldName) => ({ fieldName }));
  const value = { violations: [{ field: { elements }, message: description }] };
  const error = new ConnectError(`${path}: ${description}`, Code.InvalidArgument);
  error.details.push({ desc: schema, value });
  return error;
}
