import { randomUUID } from "node:crypto";
import { type DescMethod, type DescService, fromJson, type JsonValue, type Message } from "@bufbuild/protobuf";
import { type CallOptions, type Client, Code, ConnectError } from "@connectrpc/connect";
import type { Answer, Example, ServiceExamples } from "../examples/example.ts";
import { differences, toComparable } from "../examples/match.ts";
import { type Bindings, fill } from "../examples/placeholders.ts";
import { sample } from "../examples/sample.ts";

/**
 * Makes a state true. It gets the example's params and values; where a value can't be the example's own, such as an id that
 * the service makes, it returns the one that `${name}` is to stand for.
 */
export type StateHandler = (
  given: Readonly<Record<string, string>>,
) => Promise<Record<string, string> | undefined> | Promise<void>;

/** The real service, and how to bring it into the states that its examples name. */
export interface Provider<S extends DescService> {
  readonly client: Client<S>;
  /** By the state's name. */
  readonly states: Readonly<Record<string, StateHandler>>;
  /** How long one call may take, in milliseconds. Default 5000. */
  readonly timeoutMs?: number;
}

export interface VerifiedExample {
  readonly example: Example;
  /** What the provider did otherwise than the example says; empty when it keeps it. */
  readonly problems: readonly string[];
}

/** Runs every example against the provider, one after the other, each in its state. */
export async function verifyProvider<S extends DescService>(
  provider: Provider<S> & { readonly examples: ServiceExamples<S> },
): Promise<readonly VerifiedExample[]> {
  const verified: VerifiedExample[] = [];
  for (const example of provider.examples.examples) verified.push(await verifyExample(provider, example));
  return verified;
}

/** Runs one example. What the provider does wrong is in the result; a state that can't be made true rejects. */
export async function verifyExample<S extends DescService>(
  provider: Provider<S>,
  example: Example,
): Promise<VerifiedExample> {
  const bindings = await enterState(provider, example);
  const request = fromJson(example.method.input, sample(example.request, bindings, randomUUID));
  const headers = Object.entries(example.metadata).map(([name, value]): [string, string] => [
    name,
    fill(value, bindings, randomUUID),
  ]);
  const outcome = await call(provider, example, request, headers);
  return { example, problems: [...compare(example, outcome, bindings)] };
}

async function enterState<S extends DescService>({ states }: Provider<S>, { state, name }: Example): Promise<Bindings> {
  if (state === undefined) return new Map();
  const handler = states[state.name];
  if (handler === undefined) {
    const known = Object.keys(states).join(", ") || "none";
    throw new Error(`the provider's test knows no state "${state.name}", which "${name}" needs; it knows: ${known}`);
  }
  const given = { ...state.params, ...state.values };
  return new Map(Object.entries({ ...given, ...(await handler(given)) }));
}

type Outcome =
  | { readonly kind: "responses"; readonly messages: readonly Message[]; readonly ended: boolean }
  | { readonly kind: "error"; readonly error: ConnectError };

async function call<S extends DescService>(
  { client, timeoutMs = 5_000 }: Provider<S>,
  { method, answer }: Example,
  request: Message,
  headers: [string, string][],
): Promise<Outcome> {
  const abort = new AbortController();
  const options: CallOptions = { headers, timeoutMs, signal: abort.signal };
  const invoke = methodOf(client, method);
  try {
    if (method.methodKind === "unary") {
      return { kind: "responses", messages: [(await invoke(request, options)) as Message], ended: true };
    }
    const messages: Message[] = [];
    // A stream that stays open is left after the messages that the example has.
    const enough = answer.kind === "responses" && answer.open ? answer.messages.length : Number.POSITIVE_INFINITY;
    for await (const message of invoke(request, options) as AsyncIterable<Message>) {
      messages.push(message);
      if (messages.length >= enough) return { kind: "responses", messages, ended: false };
    }
    return { kind: "responses", messages, ended: true };
  } catch (error) {
    return { kind: "error", error: ConnectError.from(error) };
  } finally {
    abort.abort();
  }
}

/** A client has a function for each method under its local name, which its type only says when the service is known. */
function methodOf(client: object, method: DescMethod): (request: Message, options: CallOptions) => unknown {
  return (client as Record<string, (request: Message, options: CallOptions) => unknown>)[method.localName] as never;
}

function* compare({ method, answer }: Example, outcome: Outcome, bindings: Bindings): Iterable<string> {
  if (answer.kind === "error") yield* compareError(answer, outcome, bindings);
  else if (outcome.kind === "error") yield `it failed with ${describe(outcome.error)}`;
  else {
    const { messages } = answer;
    if (outcome.messages.length !== messages.length) {
      yield `it answered ${outcome.messages.length} messages, not ${messages.length}`;
    }
    if (answer.open && outcome.ended) yield "its stream ended, and should stay open";
    for (const [i, pattern] of messages.entries()) {
      const message = outcome.messages[i];
      const path = method.methodKind === "unary" ? "response" : `responses[${i}]`;
      if (message) yield* differences(pattern, toComparable(method.output, message), bindings, path);
    }
  }
}

function* compareError(answer: Answer & { kind: "error" }, outcome: Outcome, bindings: Bindings): Iterable<string> {
  if (outcome.kind === "responses") {
    const answered = outcome.messages.map((message) => JSON.stringify(message, showBigInt)).join(", ");
    yield `it answered ${answered || "nothing"}, and should fail with ${Code[answer.code]}`;
  } else if (outcome.error.code !== answer.code) {
    yield `it failed with ${describe(outcome.error)}, not with ${Code[answer.code]}`;
  } else if (answer.message) {
    const text: JsonValue = outcome.error.rawMessage;
    yield* differences(answer.message, text, bindings, "error.message");
  }
}

function describe(error: ConnectError): string {
  return `${Code[error.code]}: ${error.rawMessage}`;
}

function showBigInt(_: string, value: unknown): unknown {
  return typeof value === "bigint" ? String(value) : value;
}
