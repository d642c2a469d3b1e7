export type { Answer, Example, ProviderState, ServiceExamples, ServiceStub } from "./examples/example.ts";
export type { Pattern, ValueType } from "./examples/pattern.ts";
