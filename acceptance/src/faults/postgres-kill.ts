import { setTimeout as sleep } from "node:timers/promises";
import { toBinary } from "@bufbuild/protobuf";
import { type Client, createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { InventoryService, RestockProductResponseSchema } from "@shop/contracts/inventory";
import type { Stack } from "@weft/devstack";
import { inLanes } from "../in-lanes.ts";
import { until } from "../until.ts";
import type { Row } from "./runner/row.ts";
import { openShop } from "./shop/open-shop.ts";

/** One delivery to the warehouse, under a key that it keeps until it is answered. */
interface Write {
  readonly key: string;
  readonly productId: string;
  answer: Buffer | undefined;
}

const inFlight = 32;
const kills = 5;

/**
 * Stock arrives, a unit a call, while PostgreSQL is killed with -9 and started again. A unit that is missing is an
 * acknowledged write that was lost; one too many was written twice.
 */
export const postgresKill: Row = {
  name: "postgres-kill",
  claim: "PostgreSQL killed -9 under keyed writes: none lost, none doubled, the same answers again",
  minutes: 10,
  async run(ground) {
    const { findings, size, say, signal } = ground;
    // Durable, as a database is that somebody relies on.
    const { stack } = await openShop(ground, { services: ["inventory"], ephemeral: false });
    const client = clientOf(stack);
    const { pid } = stack.service("inventory");
    const before = (await client.listProducts({})).products.slice(0, 5);
    const writes: Write[] = Array.from({ length: size(10_000, 600) }, (_, i) => ({
      key: crypto.randomUUID(),
      productId: before[i % before.length]?.id ?? "",
      answer: undefined,
    }));

    const answeredAt: number[] = [];
    const writing = writeAll(writes, client, signal, () => answeredAt.push(performance.now()));
    const recoveries: number[] = [];
    for (let kill = 1; kill <= kills; kill++) {
      const reached = () => (answeredAt.length >= (kill / (kills + 1)) * writes.length ? true : undefined);
      await Promise.race([until(`kill ${kill}`, reached, 300_000), writing]);
      say(`kill -9 PostgreSQL after ${answeredAt.length} answers`);
      recoveries.push(await killPostgres(stack, answeredAt));
    }
    const repeats = await writing;

    const again: readonly Write[] = writes.map(({ key, productId }) => ({ key, productId, answer: undefined }));
    await writeAll(again, client, signal);
    const differing = writes.filter(({ answer }, i) => answer && !again[i]?.answer?.equals(answer)).length;
    const units = await missingUnits(client, before, writes);
    findings.figure("keyed writes", writes.length);
    findings.figure("kills of PostgreSQL", kills);
    findings.figure("clients' repeats", repeats);
    findings.count("acknowledged writes", writes.filter(({ answer }) => answer !== undefined).length, writes.length);
    findings.count("acknowledged writes that were lost", units.missing, 0);
    findings.count("writes that were doubled", units.surplus, 0);
    findings.count("answers that differ when asked again", differing, 0);
    findings.count("ends of the service", stack.service("inventory").pid === pid ? 0 : 1, 0);
    findings.within("answers after PostgreSQL's return, slowest", Math.max(...recoveries), 2_000, "ms");
  },
};

function clientOf(stack: Stack): Client<typeof InventoryService> {
  const baseUrl = `http://${stack.service("inventory").addresses.address}`;
  return createClient(InventoryService, createGrpcTransport({ baseUrl }));
}

/** Has each write answered, several at once; resolves with how many calls were repeats. */
async function writeAll(
  writes: readonly Write[],
  client: Client<typeof InventoryService>,
  signal: AbortSignal,
  onAnswer: () => void = () => {},
): Promise<number> {
  let repeats = 0;
  await inLanes(writes, inFlight, async (write) => {
    for (let attempt = 0; write.answer === undefined; attempt++) {
      signal.throwIfAborted();
      if (attempt > 600) throw new Error(`key ${write.key} was never answered`);
      if (attempt > 0) await sleep(25, undefined, { signal });
      write.answer = await restock(write, client);
      if (write.answer === undefined) repeats += 1;
    }
    onAnswer();
  });
  return repeats;
}

/** Undefined when it has to be asked again. */
async function restock(
  { key, productId }: Write,
  client: Client<typeof InventoryService>,
): Promise<Buffer | undefined> {
  const headers = { "idempotency-key": key };
  const call = client.restockProduct({ productId, quantity: 1 }, { headers, timeoutMs: 10_000 });
  return call.then(
    (response) => Buffer.from(toBinary(RestockProductResponseSchema, response)),
    () => undefined,
  );
}

/** Resolves with the milliseconds from PostgreSQL's return to the first answer. */
async function killPostgres({ infrastructure: { postgres } }: Stack, answeredAt: readonly number[]): Promise<number> {
  await postgres.kill("SIGKILL");
  await postgres.start();
  const returnedAt = performance.now();
  const first = await until(
    "an answer after PostgreSQL's return",
    () => answeredAt.find((at) => at > returnedAt),
    60_000,
  );
  return first - returnedAt;
}

async function missingUnits(
  client: Client<typeof InventoryService>,
  before: readonly { readonly id: string; readonly stock: number }[],
  writes: readonly Write[],
): Promise<{ readonly missing: number; readonly surplus: number }> {
  let [missing, surplus] = [0, 0];
  for (const { id, stock } of before) {
    const { product } = await client.getProduct({ productId: id });
    const wanted = stock + writes.filter(({ productId }) => productId === id).length;
    const seen = product?.stock ?? 0;
    missing += Math.max(0, wanted - seen);
    surplus += Math.max(0, seen - wanted);
  }
  return { missing, surplus };
}
