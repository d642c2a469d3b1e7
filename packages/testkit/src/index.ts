export type { AttributeValue, CollectedSpan, SpanKind } from "./collector/span.ts";
export {
  type Collector,
  type CollectorOptions,
  startCollector,
  type WaitOptions,
} from "./collector/start-collector.ts";
export { createLargeDatabase, type LargeDatabase } from "./database/create-large-database.ts";
export { createTestDatabase, type TestDatabase } from "./database/create-test-database.ts";
export { type RecordedStatements, recordStatements } from "./database/record-statements.ts";
export { type SequentialScan, type SequentialScanOptions, sequentialScans } from "./database/sequential-scans.ts";
export { type DeadLetter, deadLetters } from "./events/dead-letters.ts";
export { type Consumer, deliver } from "./events/deliver.ts";
export { type AgainOptions, deliverAgain, type Repetition, type Seen } from "./events/deliver-again.ts";
export { type Failure, failingAtFirst, failures } from "./events/failures.ts";
export {
  asSeenBy,
  bytesOf,
  type History,
  idOf,
  interleave,
  isOf,
  keyOf,
  momentFor,
  type RecordedEvent,
  readHistories,
  recordedAs,
  toldBy,
} from "./events/history.ts";
export { type OutboxEvent, published } from "./events/published.ts";
export { type Replay, type ReplayOptions, startReplay } from "./events/replay.ts";
export type { Answer, Example, ProviderState, ServiceExamples, ServiceStub } from "./examples/example.ts";
export { loadExamples, parseExamples } from "./examples/load.ts";
export type { Pattern, ValueType } from "./examples/pattern.ts";
export { ExamplesError } from "./examples/problems.ts";
export { forgedPageTokens } from "./forged-page-tokens.ts";
export { type Address, meshTo } from "./mesh/mesh-to.ts";
export { type ProgramOptions, type RunningProgram, startProgram } from "./program/start-program.ts";
export { describeProvider, type TestRunner } from "./provider/describe-provider.ts";
export {
  type Provider,
  type StateHandler,
  type VerifiedExample,
  verifyExample,
  verifyProvider,
} from "./provider/verify.ts";
export { refusal } from "./refusal.ts";
export { type RunningStub, type StubbedCall, type StubOptions, startStub } from "./stub/start-stub.ts";
