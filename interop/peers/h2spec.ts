import assert from "node:assert/strict";
import type { Report } from "../report.ts";
import { goTool, run } from "../tools.ts";
import { serveOurs } from "./ours.ts";

/** All of h2spec, strict: nothing failed and nothing left out. */
export async function h2spec(report: Report): Promise<void> {
  const tool = await goTool("h2spec", "github.com/summerwind/h2spec/cmd/h2spec@v2.2.1+incompatible");
  if ("missing" in tool) {
    report.skip("h2spec", tool.missing);
    return;
  }
  const ours = await serveOurs();
  await report.check(
    "h2spec -S",
    async () => {
      // It asks by GET, as Connect may, and wants an answer with a body.
      const query = new URLSearchParams({ connect: "v1", encoding: "json", message: '{"responseSize":1000}' });
      const path = `/grpc.testing.TestService/UnaryCall?${query}`;
      const args = ["-S", "-h", "127.0.0.1", "-p", String(ours.port), "-P", path, "-o", "5"];
      const { stdout } = await run(tool.path, args).catch((error: { stdout: string }) => error);
      const [, tests = "", passed = ""] = /(\d+) tests, (\d+) passed, 0 skipped, 0 failed/.exec(stdout) ?? [];
      assert.ok(Number(tests) >= 140 && tests === passed, stdout.trim().split("\n").slice(-40).join("\n"));
    },
    300_000,
  );
  await ours.close();
}
