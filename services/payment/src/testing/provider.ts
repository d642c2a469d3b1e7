import { fileURLToPath } from "node:url";
import { startProgram } from "@weft/testkit";

const entry = fileURLToPath(new URL("../../../../packages/devstack/src/payments/main.ts", import.meta.url));

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
  const env = { SLOW_MS: "200" };
  const { url, get, stop } = await startProgram({ entry, readyPath: "/charges", env });
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
