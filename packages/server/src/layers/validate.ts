import type { DescMessage, Message } from "@bufbuild/protobuf";
import { createValidator } from "@bufbuild/protovalidate";
import { Code, ConnectError } from "@connectrpc/connect";
import { mapMessages } from "@weft/rpc";
import { type Layer, takesStream } from "../layer.ts";
import { toConnectError } from "./violations.ts";

/** Refuses a request that breaks its contract's rules (buf.validate) with INVALID_ARGUMENT, each violation with its field. */
export function validateLayer(): Layer {
  const validator = createValidator();
  const check = <M extends Message>(schema: DescMessage, message: M): M => {
    const result = validator.validate(schema, message);
    switch (result.kind) {
      case "valid":
        return message;
      case "invalid":
        throw toConnectError(result.violations);
      case "error":
        throw new ConnectError(`the contract's rules can't be evaluated: ${result.error.message}`, Code.Internal);
    }
  };
  return (next) => (call) => {
    const { input } = call.method;
    if (takesStream(call.method)) {
      const hooks = { message: (each: Message) => check(input, each) };
      call.request = mapMessages(call.request as AsyncIterable<Message>, hooks);
    } else check(input, call.request as Message);
    return next(call);
  };
}
