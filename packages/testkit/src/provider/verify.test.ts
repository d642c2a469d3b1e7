// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the placeholders of examples look like that
import { randomUUID } from "node:crypto";
import type { DescService } from "@bufbuild/protobuf";
import { createClient } from "@connectrpc/connect";
import { type Connection, connect } from "@weft/rpc";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parseExamples } from "../examples/load.ts";
import { type RunningStub, startStub } from "../stub/start-stub.ts";
import { compileNoteService, fittingExamples } from "../testing/note-service.ts";
import { describeProvider } from "./describe-provider.ts";
import { type Provider, type VerifiedExample, verifyProvider } from "./verify.ts";

// A stub keeps its own examples, so that it is a provider of which each deviation can be made at will.
const service: DescService = compileNoteService();
const examples = parseExamples(service, fittingExamples, "notes.yaml");
let stub: RunningStub;
let connection: Connection;
let provider: Provider<DescService>;

beforeAll(async () => {
  stub = await startStub({ service, examples });
  connection = connect(stub);
  provider = { client: createClient(service, connection.transport), states: { "a note": async () => {} } };
});
afterAll(async () => {
  connection.close();
  await stub.close();
});

describeProvider({ describe, it }, examples, () => provider);

/** The problems that there are when the examples say something else than the provider does. */
async function problemsAfter(before: string, after: string): Promise<string[]> {
  if (!fittingExamples.includes(before)) throw new Error(`the examples have no ${before}`);
  const changed = parseExamples(service, fittingExamples.replace(before, after), "notes.yaml");
  return problemsIn(await verifyProvider({ ...provider, examples: changed }));
}

function problemsIn(verified: readonly VerifiedExample[]): string[] {
  return verified.flatMap(({ example, problems }) => problems.map((problem) => `${example.name}: ${problem}`));
}

describe("verifying a provider", () => {
  it("finds nothing when it keeps every example", async () => {
    const verified = await verifyProvider({ ...provider, examples });
    expect(verified).toHaveLength(7);
    expect(problemsIn(verified)).toEqual([]);
  });

  it.each([
    ["a value", "sizeBytes: 8", "sizeBytes: 9", ['keeps a note: response.note.sizeBytes is "8", not "9"']],
    [
      "a text",
      "{ $contains: milk }",
      "{ $contains: bread }",
      ['keeps a note: response.note.text is "milk", which doesn\'t contain "bread"'],
    ],
    [
      "the values that are allowed",
      "[COLOUR_YELLOW, COLOUR_GREEN]",
      "[COLOUR_UNSPECIFIED, COLOUR_GREEN]",
      ['keeps a note: response.note.colour is "COLOUR_YELLOW", not one of ["COLOUR_UNSPECIFIED","COLOUR_GREEN"]'],
    ],
    [
      "a list's length",
      'tags: [home, "${text}"]',
      "tags: [home]",
      ['finds a note: response.note.tags is ["home","buy milk"], not 1 elements'],
    ],
    [
      "a list's least length",
      "$min: 2",
      "$min: 3",
      ['shows what has the tag, and ends: responses[0].note.tags is ["text","text"], not 3 or more elements'],
    ],
    [
      "an error's code",
      "code: NOT_FOUND",
      "code: ABORTED",
      ["knows no such note: it failed with NotFound: no note nothing, not with Aborted"],
    ],
    [
      "an error's message",
      "message: no note nothing",
      "message: no note",
      ['knows no such note: error.message is "no note nothing", not "no note"'],
    ],
    [
      "an error at all",
      'response:\n        note: { id: "n-${uuid:any}", text: "${uuid:made}", addedAt: "2026-01-02T03:04:05Z" }',
      "error: { code: NOT_FOUND }",
      [expect.stringMatching(/^answers whatever id it is asked for: it answered .*, and should fail with NotFound$/)],
    ],
    [
      "a response at all",
      "error: { code: NOT_FOUND, message: no note nothing }",
      "response: {}",
      ["knows no such note: it failed with NotFound: no note nothing"],
    ],
    [
      "a stream's length",
      "        - note: { sizeBytes: { $type: int } }\n",
      "",
      ["shows what has the tag, and ends: it answered 2 messages, not 1"],
    ],
    [
      "a stream that should stay open",
      "        - note: { sizeBytes: { $type: int } }\n",
      "        - {}\n        - {}\n      open: true\n",
      [
        "shows what has the tag, and ends: it answered 2 messages, not 3",
        "shows what has the tag, and ends: its stream ended, and should stay open",
      ],
    ],
  ])("tells of %s", async (_, before, after, problems) => {
    expect(await problemsAfter(before, after)).toEqual(problems);
  });

  it("gives a state its params and values, and takes the values that it made instead", async () => {
    const given: object[] = [];
    const states = {
      "a note": async (params: object) => {
        given.push(params);
        return { note_id: randomUUID() };
      },
    };
    const verified = await verifyProvider({ ...provider, states, examples });
    expect(given[0]).toEqual({ text: "buy milk", note_id: "5f0c7f6e-1111-4222-8333-444444444444" });
    // The stub knows its own id alone, so that another one shows that it was sent.
    expect(problemsIn(verified)[0]).toMatch(/^finds a note: it failed with Unimplemented: no example of GetNote/);
  });

  it("names a state that the provider's test doesn't know, and those that it knows", async () => {
    const verify = verifyProvider({ ...provider, states: { "a book": async () => {} }, examples });
    await expect(verify).rejects.toThrow(
      'the provider\'s test knows no state "a note", which "finds a note" needs; it knows: a book',
    );
  });

  it("doesn't wait for a stream that should have ended", async () => {
    const closed = fittingExamples.replace("      open: true\n", "");
    const changed = parseExamples(service, closed, "notes.yaml");
    const verified = await verifyProvider({ ...provider, timeoutMs: 200, examples: changed });
    expect(problemsIn(verified)).toEqual([
      expect.stringMatching(/^shows what there is, and waits for more: it failed with DeadlineExceeded/),
    ]);
  });
});
