import { type DescMethod, fromJson, type Message, toJson } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import type { Example } from "../examples/example.ts";
import { differences, toComparable, unspoken } from "../examples/match.ts";
import type { Bindings } from "../examples/placeholders.ts";
import { sample } from "../examples/sample.ts";

/** The example that a request is, with the values that its placeholders took. */
export interface MatchedExample {
  readonly example: Example;
  readonly bindings: Bindings;
}

/** Finds the example whose request this is. Throws UNIMPLEMENTED, and names the requests there are, when none is. */
export function findExample(examples: readonly Example[], method: DescMethod, request: Message): MatchedExample {
  const misses: string[] = [];
  for (const example of examples.filter((e) => e.method === method)) {
    const bindings: Bindings = new Map(Object.entries({ ...example.state?.params, ...example.state?.values }));
    const miss = difference(example, request, bindings);
    if (miss === undefined) return { example, bindings };
    misses.push(`"${example.name}" (line ${example.line}): ${miss}`);
  }
  const sent = JSON.stringify(toJson(method.input, request));
  const list = misses.length > 0 ? `the examples are:\n${misses.join("\n")}` : "the stub was given none";
  throw new ConnectError(`no example of ${method.name} has the request ${sent}; ${list}`, Code.Unimplemented);
}

/** What the example's provider answers. Throws the example's error. */
export function* answersOf({ example, bindings }: MatchedExample, newUuid: () => string): Iterable<Message> {
  const { answer, method } = example;
  if (answer.kind === "error") {
    const text = answer.message ? sample(answer.message, bindings, newUuid) : `${method.name}: ${example.name}`;
    throw new ConnectError(String(text), answer.code);
  }
  for (const message of answer.messages) yield fromJson(method.output, sample(message, bindings, newUuid));
}

function difference({ method, request }: Example, actual: Message, bindings: Bindings): string | undefined {
  const [found] = differences(request, toComparable(method.input, actual), bindings);
  if (found !== undefined) return found;
  const extra = unspoken(request, toJson(method.input, actual));
  return extra === undefined ? undefined : `${extra} is set`;
}
