import type { DescMethod, DescService } from "@bufbuild/protobuf";
import type { Code } from "@connectrpc/connect";
import type { Pattern } from "./pattern.ts";

/** One thing that a method promises: given a state, this request gets that answer. Provider and consumer tests share it. */
export interface Example {
  /** Unique among the method's examples. */
  readonly name: string;
  readonly method: DescMethod;
  readonly state: ProviderState | undefined;
  /** Sent with the request, such as an idempotency key; a stub does not look at it. */
  readonly metadata: Readonly<Record<string, string>>;
  readonly request: Pattern;
  readonly answer: Answer;
  /** Where its file has it. */
  readonly line: number;
}

/** What must hold in the provider before the request, by a name that the provider's test knows how to make true. */
export interface ProviderState {
  readonly name: string;
  readonly params: Readonly<Record<string, string>>;
  /** What `${name}` stands for in a stub; a provider's test may give others, where the service makes them. */
  readonly values: Readonly<Record<string, string>>;
}

export type Answer =
  | {
      readonly kind: "responses";
      /** One for a unary method, any number for a stream. */
      readonly messages: readonly Pattern[];
      /** Whether the stream stays open after them, as one that watches does. */
      readonly open: boolean;
    }
  | { readonly kind: "error"; readonly code: Code; readonly message: Pattern | undefined };

/** The examples of a service that were read from a file and fit its contract. */
export interface ServiceExamples<S extends DescService = DescService> {
  readonly service: S;
  readonly file: string;
  readonly examples: readonly Example[];
}

/** What a generated stub factory returns and `startStub` serves. */
export interface ServiceStub<S extends DescService = DescService> {
  readonly service: S;
  readonly examples: ServiceExamples<S>;
}
