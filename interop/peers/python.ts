import { join } from "node:path";
import type { Report } from "../report.ts";
import { python, run, startServer } from "../tools.ts";
import { checkCases, serveOurs } from "./ours.ts";

const scripts = join(import.meta.dirname, "../python");

/** grpcio, on the C core that Ruby, PHP and C# have had too. */
export async function grpcio(report: Report): Promise<void> {
  const tool = await python("grpcio", "grpcio-tools");
  if ("missing" in tool) {
    report.skip("Python grpcio", tool.missing);
    return;
  }
  const ours = await serveOurs();
  const { stdout } = await run(tool.path, [join(scripts, "client.py"), String(ours.port)]);
  for (const line of stdout.trim().split("\n")) {
    const [name = "", result = ""] = line.split(": ", 2);
    await report.check(`Python grpcio client, our server: ${name}`, async () => {
      if (result !== "ok") throw new Error(line);
    });
  }
  await ours.close();
  const server = await startServer(tool.path, [join(scripts, "server.py")]);
  await checkCases(report, "our client, Python grpcio server", { host: "127.0.0.1", port: server.port });
  await server.stop();
}
