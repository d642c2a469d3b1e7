import { type Faults, pause, type Store } from "@weft/store";
import type { QueryExecutorProvider } from "kysely";
import type { Subscription } from "../subscribe.ts";
import { type AdmissionRules, admit, setBaseline } from "./admission.ts";
import { type DeadLetter, writeDeadLetter } from "./dead-letter.ts";
import type { InboxTable } from "./inbox-table.ts";
import type { IncomingEvent } from "./incoming-event.ts";
import { decodeEvent, type HandlerLimits, runHandler } from "./run-handler.ts";

export type Settled = "handled" | "skipped" | "expired" | "duplicate" | "ahead" | "dead";

export interface SettleContext<DB> extends HandlerLimits {
  readonly service: string;
  readonly store: Store<DB>;
  readonly table: InboxTable;
  readonly rules: AdmissionRules;
  readonly faults: Faults | undefined;
}

/** How a consumer's events get their effect, and what becomes of those whose handler won't have them. */
export interface Settlement {
  settle<DB>(
    context: SettleContext<DB>,
    subscription: Subscription | undefined,
    event: IncomingEvent,
  ): Promise<Settled>;
  giveUp<DB>(
    context: SettleContext<DB>,
    event: IncomingEvent,
    letter: Omit<DeadLetter, "service" | "consumer">,
  ): Promise<Settled>;
}

/** Each event of a stream once, in the order of its key. */
export const inboxSettlement: Settlement = { settle: settleEvent, giveUp: buryEvent };

/**
 * Gives an event its effect: admission, handler and the note that it is settled are one transaction. Throws what the
 * handler threw, and then nothing of it is left.
 */
export async function settleEvent<DB>(
  context: SettleContext<DB>,
  subscription: Subscription | undefined,
  event: IncomingEvent,
): Promise<Settled> {
  const { service, table, rules, faults } = context;
  const attempt = event.message.deliveryCount === 1 ? 1 : 1 + (await table.failures(rules.consumer, event.id));
  return inAdmission(context, event, async (tx, parked) => {
    if (!subscription) return "skipped";
    if (parked) {
      const error = "an earlier event of the key is a dead letter, and the key is parked";
      const letter = { service, consumer: rules.consumer, reason: "parked", error, attempts: 0, park: false } as const;
      await writeDeadLetter(tx, event, letter, new Date(rules.now()));
      return "dead";
    }
    if (event.expiresAt && event.expiresAt.getTime() <= rules.now()) return "expired";
    await faults?.("before-effect", event);
    await runHandler(context, subscription, event, attempt, decodeEvent(subscription, event));
    await faults?.("after-effect", event);
    return "handled";
  });
}

/** Settles an event whose handler won't have it: its dead letter in place of its effect. */
export function buryEvent<DB>(
  context: SettleContext<DB>,
  event: IncomingEvent,
  letter: Omit<DeadLetter, "service" | "consumer">,
): Promise<Settled> {
  const { service, rules } = context;
  return inAdmission(context, event, async (tx) => {
    await writeDeadLetter(tx, event, { ...letter, service, consumer: rules.consumer }, new Date(rules.now()));
    return "dead";
  });
}

/** The pauses in which another instance may be done with an event's key, in milliseconds: without a connection, and then without a lane. */
const busyPatienceMs = [2, 4, 8, 16, 32, 64, 128];

async function inAdmission<DB>(
  { store, rules, closing }: SettleContext<DB>,
  event: IncomingEvent,
  settle: (tx: QueryExecutorProvider, parked: boolean) => Promise<Settled>,
): Promise<Settled> {
  let gapIsFinal = false;
  for (let busy = 0; ; ) {
    const admission = await store.transaction(async (tx) => {
      const admission = await admit(tx, event, rules, gapIsFinal);
      if (admission.kind !== "next" && admission.kind !== "late") return admission.kind;
      return { settled: await settle(tx, admission.parked) };
    });
    if (typeof admission === "object") return admission.settled;
    switch (admission) {
      case "duplicate":
        return "duplicate";
      case "busy": {
        const patienceMs = busyPatienceMs[busy++];
        if (patienceMs === undefined) return "ahead";
        await pause(patienceMs, closing);
        break;
      }
      case "new-key":
        await store.transaction((tx) => setBaseline(tx, rules.consumer, event));
        break;
      case "ahead":
        // Not at the first meeting: usually the predecessor is under way.
        if (gapIsFinal || event.message.deliveryCount === 1) return "ahead";
        if (!(await event.message.predecessorsSettled())) return "ahead";
        gapIsFinal = true;
    }
  }
}
