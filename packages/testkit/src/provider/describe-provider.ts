import type { DescService } from "@bufbuild/protobuf";
import type { ServiceExamples } from "../examples/example.ts";
import { type Provider, verifyExample } from "./verify.ts";

/** What is needed of a test runner: Vitest's and Node's both have it. */
export interface TestRunner {
  readonly describe: (name: string, body: () => void) => unknown;
  readonly it: (name: string, body: () => Promise<void>) => unknown;
}

/**
 * Registers a test an example: "CreateUser: opens an account". `provider` is asked when a test runs, so that hooks can start it.
 *
 * ```ts
 * describeProvider({ describe, it }, loadExamples(UserService, file), () => ({ client, states }));
 * ```
 */
export function describeProvider<S extends DescService>(
  { describe, it }: TestRunner,
  examples: ServiceExamples<S>,
  provider: () => Provider<S>,
): void {
  describe(`${examples.service.typeName} keeps its examples`, () => {
    for (const example of examples.examples) {
      it(`${example.method.name}: ${example.name}`, async () => {
        const { problems } = await verifyExample(provider(), example);
        if (problems.length > 0) throw new Error(`${examples.file}:${example.line}: ${problems.join("\n")}`);
      });
    }
  });
}
