import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Contracts, compileContracts, root } from "./testing/compile-contracts.ts";

const testdata = fileURLToPath(new URL("../testdata", import.meta.url));
const golden = join(testdata, "library/v1");
const protos = ["library/v1/loan_service.proto", "library/v1/loan_events.proto"];
const template = `version: v2
inputs: [{directory: ., paths: [library]}]
plugins:
  - {local: protoc-gen-es, out: src, opt: [target=ts, import_extension=ts, erasable_syntax=true, ${rewrite("weft/**")}]}
  - {local: protoc-gen-weft, out: src, opt: [target=ts, import_extension=ts]}
`;

function rewrite(folder: string): string {
  return `"rewrite_imports=./${folder}/*_pb.js:@weft/contracts/gen"`;
}

let library: Contracts;
beforeAll(() => {
  library = compileContracts({}, [testdata]);
});
afterAll(() => library.remove());

describe("what is generated of a contract", () => {
  it("is what the golden files have (WEFT_UPDATE_GOLDEN=1 writes them anew)", () => {
    const files = library.generate(...protos).file;
    expect(files.map(({ name }) => name)).toEqual([
      "library/v1/loan_events_weft.ts",
      "library/v1/loan_service_weft.ts",
      "library/v1/index.ts",
    ]);
    for (const { name = "", content = "" } of files) {
      const path = join(testdata, `${name}.golden`);
      if (process.env.WEFT_UPDATE_GOLDEN === "1") writeFileSync(path, content);
      expect(content, path).toBe(readFileSync(path, "utf8"));
    }
    expect(readdirSync(golden).filter((name) => name.endsWith(".golden"))).toHaveLength(files.length);
  });

  it("is the same bytes each time, in whichever order the files come", () => {
    const [first, again] = [library.generate(...protos), library.generate(...protos)];
    expect(again).toEqual(first);
    expect(library.generate(...protos.toReversed())).toEqual(first);
  });

  it("comes out of buf generate, and type-checks under this repository's own tsconfig", () => {
    library.write("buf.gen.yaml", template);
    library.buf("generate");
    mkdirSync(join(library.folder, "node_modules"), { recursive: true });
    for (const scope of ["@weft", "@bufbuild", "@connectrpc", "@types"]) {
      symlinkSync(join(root, "node_modules", scope), join(library.folder, "node_modules", scope));
    }
    library.write("package.json", '{"type": "module"}');
    library.write("src/use.ts", use);
    library.write("tsconfig.json", JSON.stringify({ extends: join(root, "tsconfig.base.json"), include: ["src"] }));
    const { stdout } = spawnSync(join(root, "node_modules/.bin/tsc"), ["--noEmit", "-p", library.folder], {
      encoding: "utf8",
      env: { ...process.env, PATH: `${join(root, "node_modules/.bin")}:${process.env.PATH}` },
    });
    expect(stdout).toBe("");
  });
});

/** What a user writes with it: a wrong word in it must fail, which `@ts-expect-error` holds. */
const use = `
import { createCatalogueClient, createLoanClient, type Loan, LoanOpened, LoanState, loanServicePolicies, Shelf_Moved } from "./library/v1/index.ts";

export async function read(mesh: Parameters<typeof createLoanClient>[0]): Promise<Loan | undefined> {
  createCatalogueClient(mesh);
  const { loan } = await createLoanClient(mesh).getLoan({ loanId: "1" });
  // @ts-expect-error: there is no such field
  await createLoanClient(mesh).getLoan({ loan: "1" });
  return loan?.state === LoanState.OPEN ? loan : undefined;
}
export const opened: LoanOpened["loanId"] = LoanOpened.subject;
export const moved: Shelf_Moved["shelfNumber"] = BigInt(Shelf_Moved.key.length);
export const timeout: 2000 = loanServicePolicies.methods.getLoan.timeoutMs;
`;
