import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { createFileRegistry, type DescService, fromBinary } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";

/** The service of `notes.proto`, which buf compiles beside this file. */
export function compileNoteService(): DescService {
  const buf = fileURLToPath(new URL("../../../../node_modules/.bin/buf", import.meta.url));
  const folder = fileURLToPath(new URL(".", import.meta.url));
  const image = execFileSync(buf, ["build", "notes.proto", "-o", "-"], { cwd: folder });
  const service = createFileRegistry(fromBinary(FileDescriptorSetSchema, image)).getService("notes.v1.NoteService");
  if (service === undefined) throw new Error("notes.proto has no NoteService");
  return service;
}

/** Examples that fit: each method has one. */
export const fittingExamples = readFileSync(new URL("notes.examples.yaml", import.meta.url), "utf8");
