import { createClient, type Transport } from "@connectrpc/connect";
import { type ConnectionOptions, connect, type Listener, listen } from "@weft/rpc";
import { cases } from "../cases.ts";
import { TestService } from "../gen/grpc/testing/test_pb.ts";
import type { Report } from "../report.ts";
import { testService } from "../service.ts";

export function serveOurs(): Promise<Listener> {
  return listen({ host: "127.0.0.1", port: 0, routes: testService });
}

/** Every case with the server at a port, compressed too where it knows gzip. */
export async function checkCases(
  report: Report,
  name: string,
  { knowsGzip = true, ...options }: ConnectionOptions & { readonly knowsGzip?: boolean },
): Promise<void> {
  for (const compress of knowsGzip ? [false, true] : [false]) {
    const connection = connect({ ...options, compress });
    for (const each of Object.keys(cases))
      await report.check(`${name}: ${each}${compress ? ", gzip" : ""}`, () => runCase(each, connection.transport));
    connection.close();
  }
}

export async function runCase(name: string, transport: Transport): Promise<void> {
  await cases[name]?.(createClient(TestService, transport), transport);
}
