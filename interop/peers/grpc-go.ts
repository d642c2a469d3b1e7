import { spawn } from "node:child_process";
import { once } from "node:events";
import { type AddressInfo, connect, createServer } from "node:net";
import type { Report } from "../report.ts";
import { goTool, run } from "../tools.ts";
import { checkCases, serveOurs } from "./ours.ts";

const version = "v1.75.0";
const cases = [
  ...[
    "empty_unary",
    "large_unary",
    "client_streaming",
    "server_streaming",
    "ping_pong",
    "empty_stream",
    "custom_metadata",
  ],
  ...["timeout_on_sleeping_server", "cancel_after_begin", "cancel_after_first_response", "status_code_and_message"],
  ...["special_status_message", "unimplemented_method", "unimplemented_service"],
];

/** grpc-go's own interoperability client and server. */
export async function grpcGo(report: Report): Promise<void> {
  const client = await goTool("grpc-go-client", `google.golang.org/grpc/interop/client@${version}`);
  if ("missing" in client) report.skip("grpc-go client, our server", client.missing);
  else {
    const ours = await serveOurs();
    for (const name of cases) {
      const args = ["--server_host=127.0.0.1", `--server_port=${ours.port}`, `--test_case=${name}`];
      await report.check(`grpc-go client, our server: ${name}`, async () => void (await run(client.path, args)));
    }
    await ours.close();
  }
  const server = await goTool("grpc-go-server", `google.golang.org/grpc/interop/server@${version}`);
  if ("missing" in server) {
    report.skip("our client, grpc-go server", server.missing);
    return;
  }
  const port = await freePort();
  const child = spawn(server.path, [`--port=${port}`], { stdio: "ignore" });
  await listening(port);
  // Its interoperability server has not installed gzip.
  await checkCases(report, "our client, grpc-go server", { host: "127.0.0.1", port, knowsGzip: false });
  const ended = once(child, "exit");
  child.kill("SIGKILL");
  await ended;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function listening(port: number): Promise<void> {
  for (let attempts = 0; attempts < 100; attempts++) {
    const socket = connect({ port, host: "127.0.0.1" });
    try {
      await once(socket, "connect");
      return;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 50));
    } finally {
      socket.destroy();
    }
  }
  throw new Error(`nobody listens on ${port}`);
}
