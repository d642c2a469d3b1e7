import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { createWorkspace } from "../workspace.fixture.ts";
import { readOutcome } from "./test.ts";

const { root } = createWorkspace({ "package.json": "{}" });
const file = join(root, "results.json");
afterAll(() => rmSync(root, { recursive: true, force: true }));

const results = (passed: number, failed: number, pending: number, testResults: unknown[] = []) =>
  writeFileSync(
    file,
    JSON.stringify({
      numPassedTests: passed,
      numFailedTests: failed,
      numPendingTests: pending,
      numTodoTests: 0,
      testResults,
    }),
  );

describe("the last line of a test run", () => {
  it("says how many passed and failed, and skipped ones only when there are some", () => {
    results(3, 0, 0);
    expect(readOutcome(file, 0)).toEqual({ code: 0, line: "3 passed, 0 failed" });
    results(3, 1, 2);
    expect(readOutcome(file, 1)).toEqual({ code: 1, line: "3 passed, 1 failed, 2 skipped" });
  });

  it("counts a file that can't be loaded as a failure", () => {
    results(3, 0, 0, [{ status: "failed", assertionResults: [] }]);
    expect(readOutcome(file, 1)).toEqual({ code: 1, line: "3 passed, 1 failed" });
  });

  it("is never without a failure when the run ended badly or wrote nothing", () => {
    results(3, 0, 0);
    expect(readOutcome(file, 1).line).toBe("3 passed, 1 failed");
    rmSync(file);
    expect(readOutcome(file, 0)).toEqual({ code: 1, line: "0 passed, 1 failed" });
  });
});
