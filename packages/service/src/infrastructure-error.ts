import { Code, ConnectError } from "@connectrpc/connect";
import {
  CommandTakenOver,
  isLockTimeout,
  isPoolExhausted,
  isSerializationFailure,
  isStatementTimeout,
  isUnavailable,
} from "@weft/store";

/** What a caller can do about each is to try again: where the client's own retry may help, the code is UNAVAILABLE. First that fits. */
const answers: readonly (readonly [is: (error: unknown) => boolean, code: Code, message: string])[] = [
  [isPoolExhausted, Code.Unavailable, "the service's connections to its database are all in use: try again"],
  [isUnavailable, Code.Unavailable, "the service's database can't be reached: try again"],
  [isStatementTimeout, Code.Unavailable, "the service's database took too long: try again"],
  [isLockTimeout, Code.Aborted, "another change of the same takes too long: try again"],
  [isSerializationFailure, Code.Aborted, "other changes of the same were faster: try again"],
  [
    (error) => error instanceof CommandTakenOver,
    Code.Unavailable,
    "another run of this command was faster: try again for its answer",
  ],
];

/** The answer for an error of the infrastructure; undefined for any other. */
export function infrastructureError(error: unknown): ConnectError | undefined {
  const answer = answers.find(([is]) => is(error));
  return answer && new ConnectError(answer[2], answer[1]);
}
