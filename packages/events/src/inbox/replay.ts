import { type QueryExecutorProvider, sql } from "kysely";
import type { Broker } from "../broker.ts";
import { deadLetterHeaders, replayedLetterHeader } from "../event-headers.ts";
import { deadLetterStream } from "../stream.ts";
import { Unprocessable } from "../subscribe.ts";
import { lockOf } from "./admission.ts";
import { consumerName } from "./consumer-name.ts";
import type { IncomingEvent } from "./incoming-event.ts";
import { decodeEvent, runHandler } from "./run-handler.ts";
import type { Settled, Settlement } from "./settle-event.ts";

/**
 * Gives a dead letter that comes back its effect: once, however often it is sent, since that it was revived is noted in the transaction of
 * the effect. Then the broker forgets the letter. A key that its dead letters have parked goes on when the last of them
 * is handled. One that fails again stays the dead letter that it is.
 */
export function replaySettlement(broker: Broker): Settlement {
  return {
    async settle(context, subscription, event): Promise<Settled> {
      const { service, store, table, rules, faults } = context;
      const consumer = consumerName(service, event.message.headers[deadLetterHeaders.stream] ?? "");
      if (!subscription) throw new Unprocessable(`${service} does not subscribe to ${event.subject} any more`);
      const attempt = event.message.deliveryCount === 1 ? 1 : 1 + (await table.failures(rules.consumer, event.id));
      const settled = await store.transaction(async (tx): Promise<Settled> => {
        const state = await revive(tx, consumer, event);
        if (state !== "revived") return state;
        await faults?.("before-effect", event);
        await runHandler(context, subscription, event, attempt, decodeEvent(subscription, event));
        await letGo(tx, consumer, event.key);
        await faults?.("after-effect", event);
        return "handled";
      });
      if (settled !== "ahead") await forget(broker, event);
      return settled;
    },
    async giveUp({ table, rules }, event) {
      await table.forgetFailures(rules.consumer, event.id);
      return "dead";
    },
  };
}

async function revive(
  tx: QueryExecutorProvider,
  consumer: string,
  event: IncomingEvent,
): Promise<"revived" | "ahead" | "duplicate"> {
  const { rows } = await sql<{ free: boolean; revived: boolean }>`
    with key as materialized (
      select ${lockOf(consumer, event.key)} as free
    ), revived as (
      insert into weft.inbox_dead as dead (consumer, event_id, key, revived_at)
      select ${consumer}, ${event.id}::uuid, ${event.key}, now() from key where free
      on conflict (consumer, event_id) do update set revived_at = now() where dead.revived_at is null
      returning event_id
    )
    select free, exists (select from revived) as revived from key`.execute(tx);
  if (!rows[0]?.free) return "ahead";
  return rows[0].revived ? "revived" : "duplicate";
}

/** Unparks the key unless it has other dead letters. */
async function letGo(tx: QueryExecutorProvider, consumer: string, key: string): Promise<void> {
  await sql`
    update weft.inbox_positions set parked_by = null
    where consumer = ${consumer} and key = ${key} and parked_by is not null
      and not exists (
        select from weft.inbox_dead dead
        where dead.consumer = ${consumer} and dead.key = ${key} and dead.revived_at is null)`.execute(tx);
}

async function forget(broker: Broker, event: IncomingEvent): Promise<void> {
  const letter = event.message.headers[replayedLetterHeader];
  // One that stays is found to be handled when it is sent again.
  if (letter !== undefined && /^\d{1,18}$/.test(letter)) {
    await broker.operations.delete(deadLetterStream.name, BigInt(letter)).catch(() => undefined);
  }
}
