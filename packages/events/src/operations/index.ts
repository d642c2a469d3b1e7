export { type ConsumerState, NoSuchConsumer } from "../broker.ts";
export {
  consumerState,
  pauseConsumer,
  replayStream,
  resumeConsumer,
  type ServiceConsumer,
} from "./consumers.ts";
export {
  type DeadLetter,
  type DeadLetterContents,
  type DeadLetterQuery,
  dropDeadLetter,
  inspectDeadLetter,
  listDeadLetters,
  NoSuchDeadLetter,
  replayDeadLetter,
  replayDeadLetters,
} from "./dead-letters.ts";
