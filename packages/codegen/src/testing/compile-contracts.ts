import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { create, fromBinary } from "@bufbuild/protobuf";
import {
  type CodeGeneratorRequest,
  CodeGeneratorRequestSchema,
  type CodeGeneratorResponse,
  FileDescriptorSetSchema,
} from "@bufbuild/protobuf/wkt";
import { protocGenWeft } from "../plugin.ts";

export const root = fileURLToPath(new URL("../../../..", import.meta.url));

/** Contracts in a folder of their own, compiled by buf, with the mesh's own to import. */
export interface Contracts {
  readonly folder: string;
  /** Runs the plugin for these files, as buf does for a folder of them. */
  generate(...files: string[]): CodeGeneratorResponse;
  /** Runs buf in the folder; what it printed, or an error with it. */
  buf(...args: string[]): string;
  write(path: string, text: string): void;
  remove(): void;
}

/** `files` are contracts by path; `folders` are copied in. */
export function compileContracts(files: Readonly<Record<string, string>>, folders: readonly string[] = []): Contracts {
  const folder = mkdtempSync(join(tmpdir(), "weft-codegen-"));
  const contracts: Omit<Contracts, "generate"> = {
    folder,
    buf: (...args) => execFileSync(join(root, "node_modules/.bin/buf"), args, bufOptions(folder)),
    write(path, text) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), text);
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
  cpSync(join(root, "proto/weft"), join(folder, "weft"), { recursive: true });
  for (const from of folders) cpSync(from, folder, { recursive: true });
  contracts.write("buf.yaml", "version: v2\n");
  for (const [path, text] of Object.entries(files)) contracts.write(path, text);
  contracts.buf("build", "--as-file-descriptor-set", "-o", "all.binpb");
  const protoFile = fromBinary(FileDescriptorSetSchema, readFileSync(join(folder, "all.binpb"))).file;
  return {
    ...contracts,
    generate: (...fileToGenerate) => protocGenWeft.run(requestFor(fileToGenerate, protoFile)),
  };
}

function requestFor(fileToGenerate: string[], protoFile: CodeGeneratorRequest["protoFile"]): CodeGeneratorRequest {
  return create(CodeGeneratorRequestSchema, { fileToGenerate, protoFile, parameter: "target=ts,import_extension=ts" });
}

/** The repository's programs first on the path: buf finds its plugins there. */
function bufOptions(cwd: string): { cwd: string; encoding: "utf8"; env: NodeJS.ProcessEnv; stdio: "pipe" } {
  const path = `${join(root, "node_modules/.bin")}:${process.env.PATH}`;
  return { cwd, encoding: "utf8", env: { ...process.env, PATH: path }, stdio: "pipe" };
}
