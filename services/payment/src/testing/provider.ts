import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

const program = fileURLToPath(new URL("../../../../packages/devstack/src/payments/main.ts", import.meta.url));

export interface ProviderSimulator {
  readonly url: string;
  charges(orderId: string): Promise<readonly { readonly id: string; readonly amount_minor: number }[]>;
  refunds(orderId: string): Promise<readonly { readonly charge_id: string; readonly amount_minor: number }[]>;
  /** `fail`, `stall` or `lose` that many of the next requests. */
  fault(faults: Readonly<Record<string, number>>): Promise<void>;
  stop(): Promise<void>;
}

/** The payment provider that `npm run dev` starts, as a process of the test's own. */
export async function startProviderSimulator(): Promise<ProviderSimulator> {
  const folder = await mkdtemp(join(tmpdir(), "payment-provider-"));
  const port = await freePort();
  const child = spawn(process.execPath, ["--conditions=source", program], {
    env: { ...process.env, HTTP_PORT: `${port}`, DATA_DIR: folder, SLOW_MS: "200" },
    stdio: "inherit",
  });
  const exited = once(child, "exit");
  const url = `http://127.0.0.1:${port}`;
  const stop = async (): Promise<void> => {
    child.kill();
    await exited;
    await rm(folder, { recursive: true, force: true });
  };
  const get = async <T>(path: string): Promise<T> => (await (await fetch(`${url}${path}`)).json()) as T;
  while (!(await get<unknown>("/charges").catch(() => undefined))) {
    if (child.exitCode !== null) throw new Error(`the payment-provider simulator ended with ${child.exitCode}`);
    await sleep(20);
  }
  return {
    url,
    charges: (orderId) => get(`/charges?order_id=${orderId}`),
    refunds: (orderId) => get(`/refunds?order_id=${orderId}`),
    async fault(faults) {
      const response = await fetch(`${url}/faults`, { method: "POST", body: JSON.stringify(faults) });
      if (response.status !== 204) throw new Error(`the simulator knows no such fault: ${await response.text()}`);
    },
    stop,
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
