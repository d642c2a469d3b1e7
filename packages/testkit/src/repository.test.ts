import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createFileRegistry, type DescService, fromBinary } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { createClient } from "@connectrpc/connect";
import { type Connection, connect } from "@weft/rpc";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadExamples } from "./examples/load.ts";
import { describeProvider } from "./provider/describe-provider.ts";
import { type RunningStub, startStub } from "./stub/start-stub.ts";

// Whatever services the repository has: each has examples that fit its contract, and a stub that can keep every one of them.
const root = fileURLToPath(new URL("../../..", import.meta.url));
const services = compileServices();

function compileServices(): DescService[] {
  const image = execFileSync(join(root, "node_modules/.bin/buf"), ["build", "proto", "-o", "-"], { cwd: root });
  const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, image));
  return [...registry]
    .filter((desc) => desc.kind === "service")
    .filter(({ typeName }) => !typeName.startsWith("weft."));
}

describe("the services of this repository", () => {
  it("are there", () => {
    expect(services.length).toBeGreaterThan(0);
  });

  it.each(services.map((service) => ({ name: service.typeName, file: fileOf(service) })))(
    "$name has examples",
    ({ file }) => {
      expect(existsSync(file), `write ${file}`).toBe(true);
    },
  );
});

for (const service of services.filter((each) => existsSync(fileOf(each)))) {
  describe(`the stub of ${service.typeName}`, () => {
    const examples = loadExamples(service, fileOf(service));
    let stub: RunningStub;
    let connection: Connection;
    beforeAll(async () => {
      stub = await startStub({ service, examples });
      connection = connect(stub);
    });
    afterAll(async () => {
      connection.close();
      await stub.close();
    });

    const names = examples.examples.flatMap(({ state }) => (state ? [state.name] : []));
    const states = Object.fromEntries(names.map((name) => [name, async () => {}]));
    describeProvider({ describe, it }, examples, () => ({
      client: createClient(service, connection.transport),
      states,
    }));
  });
}

function fileOf({ file }: DescService): string {
  return join(root, "proto", `${file.name}.examples.yaml`);
}
