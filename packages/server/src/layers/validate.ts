import type { DescMessage, Message } from "@bufbuild/protobuf";
import { createValidator } from "@bufbuild/protovalidate";
import { Code, ConnectError, type Interceptor, type StreamRequest, type UnaryRequest } from "@connectrpc/connect";
import { mapMessages } from "@weft/rpc";
import { toConnectError } from "./violations.ts";

/** Refuses a request that breaks its contract's rules (buf.validate) with INVALID_ARGUMENT, each violation with its field. */
export function validateLayer(): Interceptor {
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
  return (next) => (request) => {
    if (!request.stream) {
      check(request.method.input, request.message);
      return next(request as UnaryRequest);
    }
    const message = mapMessages(request.message as AsyncIterable<Message>, {
      message: (each) => check(request.method.input, each),
    });
    return next({ ...request, message } as StreamRequest);
  };
}
