export { type ErrorAnswer, errorAnswer, httpErrorAnswer } from "./error-body.ts";
export { BadRequestError, type FieldFault, isBadRequest } from "./faults.ts";
export { type RestRequest, toMessage } from "./request.ts";
export { type Found, findRoute, type Route, routesOf } from "./routes.ts";
export { statuses } from "./status.ts";
