import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Mesh } from "@weft/client";
import type { ServerState } from "@weft/server";

/** What a process lets be seen. */
export interface Visible {
  readonly mesh: Mesh;
  /** Absent in a process that serves nothing by the mesh. */
  readonly serverState: () => ServerState | undefined;
  /** All metrics, as Prometheus reads them; undefined where OpenTelemetry is switched off. */
  readonly metrics: (() => Promise<string>) | undefined;
}

export interface Admin {
  readonly port: number;
  close(): Promise<void>;
}

/**
 * A port for who runs the process, never for its users: `/metrics` for Prometheus, `/state` for what policies are doing, and
 * `/explain/<trace id>` for what became of the calls of a trace. Rejects when the port can't be had.
 */
export async function openAdmin(host: string, port: number, visible: Visible): Promise<Admin> {
  const server = createServer((request, response) => {
    const [pathname = "/"] = (request.url ?? "/").split("?");
    if (request.method !== "GET") answer(response, 405, { error: "only GET is answered here" });
    else if (pathname === "/metrics") void scrape(response, visible.metrics);
    else if (pathname === "/state")
      answer(response, 200, { client: visible.mesh.getState(), server: visible.serverState() });
    else if (pathname.startsWith("/explain/")) explain(response, visible.mesh, pathname.slice("/explain/".length));
    else answer(response, 404, { error: "there are /metrics, /state and /explain/<trace id>" });
  });
  // Nobody who is slow here keeps a process from stopping.
  server.keepAliveTimeout = 1_000;
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      const inUse = `WEFT_ADMIN_PORT: ${host}:${port} is in use; each process needs one of its own, or 0 for any`;
      reject(error.code === "EADDRINUSE" ? new Error(inUse) : error);
    });
    server.listen(port, host, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function scrape(response: ServerResponse, metrics: Visible["metrics"]): Promise<void> {
  if (metrics === undefined) {
    answer(response, 404, { error: "OTEL_SDK_DISABLED is true: there are no metrics" });
    return;
  }
  try {
    const text = await metrics();
    response.writeHead(200, { "content-type": "text/plain; version=0.0.4; charset=utf-8" }).end(text);
  } catch (error) {
    answer(response, 500, { error: `the metrics can't be collected: ${error}` });
  }
}

function explain(response: ServerResponse, mesh: Mesh, traceId: string): void {
  if (!/^[\da-f]{32}$/.test(traceId)) {
    answer(response, 400, { error: "a trace id is 32 hexadecimal digits, in lower case" });
    return;
  }
  answer(response, 200, { traceId, calls: mesh.explain(traceId) });
}

function answer(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { "content-type": "application/json" }).end(`${JSON.stringify(body)}\n`);
}
