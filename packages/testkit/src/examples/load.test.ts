// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the placeholders of examples look like that
import type { DescService } from "@bufbuild/protobuf";
import { beforeAll, describe, expect, it } from "vitest";
import { compileNoteService, fittingExamples } from "../testing/note-service.ts";
import { parseExamples } from "./load.ts";

let service: DescService;
beforeAll(() => {
  service = compileNoteService();
});

function problemsOf(text: string): string[] {
  try {
    parseExamples(service, text, "notes.yaml");
    return [];
  } catch (error) {
    return error instanceof Error ? error.message.split("\n") : [String(error)];
  }
}

/** The fitting examples, with one thing changed. */
function withChange(before: string, after: string): string {
  if (!fittingExamples.includes(before)) throw new Error(`the examples have no ${before}`);
  return fittingExamples.replace(before, after);
}

describe("examples that fit their contract", () => {
  it("are read in order, with the lines that they begin on", () => {
    const { examples } = parseExamples(service, fittingExamples, "notes.yaml");
    expect(examples.map(({ method, name, line }) => `${line} ${method.name} ${name}`)).toEqual([
      "5 AddNote keeps a note",
      "15 AddNote refuses an empty note",
      "19 GetNote finds a note",
      "31 GetNote answers whatever id it is asked for",
      "35 GetNote knows no such note",
      "39 WatchNotes shows what has the tag, and ends",
      "45 WatchNotes shows what there is, and waits for more",
    ]);
  });

  it("are in canonical proto JSON, however they were written", () => {
    const [first] = parseExamples(service, fittingExamples, "notes.yaml").examples;
    expect(first?.answer).toMatchObject({
      messages: [
        { fields: { note: { fields: { sizeBytes: { kind: "exact", value: "8" }, addedAt: { kind: "type" } } } } },
      ],
    });
  });
});

describe("an example that doesn't fit its contract is refused by line, example and field:", () => {
  it.each([
    [
      "a method that doesn't exist",
      withChange("  WatchNotes:", "  LookAtNotes:"),
      [
        'notes.yaml:38: LookAtNotes: notes.v1.NoteService has no method "LookAtNotes"',
        "notes.yaml:4: WatchNotes: the method has no example",
      ],
    ],
    [
      "a method without an example",
      fittingExamples.slice(0, fittingExamples.indexOf("  WatchNotes:")),
      ["notes.yaml:4: WatchNotes: the method has no example"],
    ],
    [
      "a method whose list is empty",
      withChange("  AddNote:\n", "  AddNote: []\n  GetNote2:\n"),
      [
        "notes.yaml:4: AddNote: write a list of examples",
        'notes.yaml:5: GetNote2: notes.v1.NoteService has no method "GetNote2"',
      ],
    ],
    [
      "a field that doesn't exist",
      withChange("text: { $contains", "txt: { $contains"),
      ['notes.yaml:11: AddNote: "keeps a note": response.note.txt: notes.v1.Note has no field "txt"'],
    ],
    [
      "a value of another type",
      withChange("sizeBytes: 8", "sizeBytes: eight"),
      [expect.stringMatching(/^notes\.yaml:12: AddNote: "keeps a note": response\.note\.sizeBytes: .*expected/)],
    ],
    [
      "an enum value that doesn't exist",
      withChange("colour: COLOUR_YELLOW,", "colour: COLOUR_RED,"),
      [expect.stringMatching(/^notes\.yaml:7: AddNote: "keeps a note": request\.colour: .*COLOUR_RED/)],
    ],
    [
      "a list where the field is one value",
      withChange("id: ${note_id}\n          text", "id: [a]\n          text"),
      ['notes.yaml:27: GetNote: "finds a note": response.note.id: write one value here'],
    ],
    [
      "one value where the field is a list",
      withChange('tags: [home, "${text}"]', "tags: home"),
      ['notes.yaml:29: GetNote: "finds a note": response.note.tags: the field is repeated: write a list'],
    ],
    [
      "a message that is a word",
      withChange("note: { sizeBytes: { $type: int } }", "note: small"),
      [expect.stringMatching(/^notes\.yaml:44: WatchNotes: "shows.*": responses\[1\]\.note: /)],
    ],
    [
      "a matcher that the field's type can't meet",
      withChange("id: { $type: uuid }", "id: { $type: int }"),
      ['notes.yaml:10: AddNote: "keeps a note": response.note.id: the field is no int'],
    ],
    [
      "a matcher that doesn't exist",
      withChange("$contains: milk", "$includes: milk"),
      [
        'notes.yaml:11: AddNote: "keeps a note": response.note.text: "$includes" is no matcher: use $type, $regex, $contains, $oneOf or $each',
      ],
    ],
    [
      "a matcher in a request",
      withChange("{ text: buy milk, colour", "{ text: { $type: string }, colour"),
      ['notes.yaml:7: AddNote: "keeps a note": request.text: a request has no matchers: write the value that is sent'],
    ],
    [
      "a regular expression whose example doesn't match it",
      withChange('$example: "text: value is required"', "$example: nothing"),
      ['notes.yaml:17: AddNote: "refuses an empty note": error.message: $example doesn\'t match /^text: .+/u'],
    ],
    [
      "an error code that doesn't exist",
      withChange("code: NOT_FOUND", "code: MISSING"),
      ['notes.yaml:37: GetNote: "knows no such note": error.code: "MISSING" is no gRPC code, such as NOT_FOUND'],
    ],
    [
      "a placeholder that no state gives",
      withChange("id: ${note_id}\n          text", "id: ${nobody}\n          text"),
      ['notes.yaml:27: GetNote: "finds a note": response.note.id: nothing gives a value for ${nobody}'],
    ],
    [
      "one response of a stream",
      withChange("responses:\n        - note: { tags: [more] }\n      open: true", "response: {}"),
      ['notes.yaml:45: WatchNotes: "shows what there is, and waits for more": give `responses:`, a list, or `error:`'],
    ],
    [
      "an open stream of nothing",
      withChange("responses:\n        - note: { tags: [more] }", "responses: []"),
      [
        'notes.yaml:45: WatchNotes: "shows what there is, and waits for more": a stream that stays open shows a response first: nothing tells it from one that hangs',
      ],
    ],
    [
      "a unary method that stays open",
      withChange("error: { code: NOT_FOUND", "open: true\n      error: { code: NOT_FOUND"),
      ['notes.yaml:35: GetNote: "knows no such note": only a stream of responses can stay open'],
    ],
    [
      "an example without a request",
      withChange("      request: { noteId: nothing }\n", ""),
      ['notes.yaml:35: GetNote: "knows no such note": it has no request; one without fields is {}'],
    ],
    [
      "a word that means nothing",
      withChange("request: { noteId: nothing }", "request: { noteId: nothing }\n      respons: {}"),
      [
        'notes.yaml:37: GetNote: "knows no such note": "respons" means nothing here: use name, state, metadata, request, response, responses, open, error',
      ],
    ],
    [
      "two examples of a method with one name",
      withChange("name: knows no such note", "name: finds a note"),
      ['notes.yaml:35: GetNote: "finds a note": another example has this name'],
    ],
    [
      "two requests that a stub can't tell apart",
      withChange("request: { noteId: nothing }", "request: {noteId: 5f0c7f6e-1111-4222-8333-444444444444}"),
      ['notes.yaml:35: GetNote: "knows no such note": a stub can\'t tell its request from that of "finds a note"'],
    ],
    [
      "another service's examples",
      withChange("service: notes.v1.NoteService", "service: notes.v1.Other"),
      ["notes.yaml:2: notes.v1.NoteService: these are examples of notes.v1.Other"],
    ],
  ])("%s", (_, text, problems) => {
    expect(problemsOf(text)).toEqual(problems);
  });

  it("YAML that can't be read", () => {
    expect(problemsOf("service: [")[0]).toMatch(/^notes\.yaml:1: /);
  });
});
