import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { Report } from "../report.ts";
import { goModule, goTool, run } from "../tools.ts";

const version = "v1.0.5";
const here = resolve(import.meta.dirname, "../conformance");

/** Connect's conformance suite: server and client under test, against its reference implementations and grpc-go. */
export async function conformance(report: Report): Promise<void> {
  const module = "connectrpc.com/conformance";
  const tool = await goTool("connectconformance", `${module}/cmd/connectconformance@${version}`);
  const sources = await goModule(`${module}@${version}`);
  if ("missing" in tool || "missing" in sources) {
    report.skip("connectconformance", "missing" in tool ? tool.missing : "missing" in sources ? sources.missing : "");
    return;
  }
  const dir = await mkdtemp(join(tmpdir(), "weft-conformance-"));
  const descriptors = join(dir, "protos.binpb");
  await run("buf", ["build", join(sources.path, "proto"), "-o", descriptors]);
  for (const mode of ["client", "server"]) {
    await report.check(
      `connectconformance: ${mode}`,
      async () => {
        const program = [process.execPath, "--conditions=source", join(here, `${mode}.ts`)];
        const args = ["--mode", mode, "--conf", join(here, `${mode}.yaml`), "--", ...program];
        const env = { ...process.env, WEFT_CONFORMANCE: descriptors };
        const failed = (error: { stdout: string; stderr: string }) => error;
        const { stdout, stderr } = await run(tool.path, args, { env, maxBuffer: 1 << 28 }).catch(failed);
        const [summary, total, passed] = /Total cases: (\d+)\n(\d+) passed, 0 failed\n?$/.exec(stdout + stderr) ?? [];
        if (summary === undefined || total !== passed) throw new Error((stdout + stderr).slice(-4_000));
        process.stdout.write(`         ${passed} of ${total} cases\n`);
      },
      600_000,
    );
  }
  await rm(dir, { recursive: true });
}
