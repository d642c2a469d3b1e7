import type { JsonObject } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { hiddenWords } from "../hidden-words.ts";
import { describeFaults, type FieldFault, isBadRequest } from "./faults.ts";
import { restSpelling } from "./rest-spelling.ts";
import type { Route } from "./routes.ts";
import { statuses } from "./status.ts";
import { violationsOf } from "./violations.ts";

/** An error as REST tells it: https://google.aip.dev/193. */
export interface ErrorAnswer {
  readonly httpStatus: number;
  readonly body: { readonly error: { code: number; status: string; message: string; details: readonly JsonObject[] } };
}

/** Any error as an answer; `route` lets the server's field names be told in the route's own spelling. */
export function errorAnswer(error: unknown, route?: Route): ErrorAnswer {
  if (isBadRequest(error)) return answer(Code.InvalidArgument, error.message, error.faults);
  const known = error instanceof ConnectError ? error : new ConnectError("internal error", Code.Internal);
  const faults =
    route === undefined
      ? []
      : violationsOf(known, route.method.input).map(({ field, description }) => ({
          field: restSpelling(route, field),
          description,
        }));
  // The service's own message spells fields as the contract does.
  const message = faults.length > 0 ? describeFaults(faults) : (hiddenWords.get(known.code) ?? known.rawMessage);
  return answer(known.code, message, faults);
}

/** An error of HTTP itself, such as 415, in the same shape. */
export function httpErrorAnswer(httpStatus: number, code: Code, message: string): ErrorAnswer {
  const { body } = answer(code, message, []);
  return { httpStatus, body: { error: { ...body.error, code: httpStatus } } };
}

function answer(code: Code, message: string, faults: readonly FieldFault[]): ErrorAnswer {
  const { http, name } = statuses[code];
  const fieldViolations = faults.map(({ field, description }) => ({ field, description }));
  const badRequest = { "@type": "type.googleapis.com/google.rpc.BadRequest", fieldViolations };
  return {
    httpStatus: http,
    body: { error: { code: http, status: name, message, details: faults.length === 0 ? [] : [badRequest] } },
  };
}
