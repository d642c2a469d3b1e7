import { Code } from "@connectrpc/connect";
import { errorsAsCodes } from "@weft/service";
import { EmailTakenError, UserDeletedError, UserNotFoundError } from "../domain/user.ts";

export const { answering } = errorsAsCodes([
  [UserNotFoundError, Code.NotFound],
  [EmailTakenError, Code.AlreadyExists],
  [UserDeletedError, Code.FailedPrecondition],
]);
