import { openStore } from "@weft/store";
import { fireTimers } from "../app/fire-timers.ts";
import { createOrderRepository } from "../store/order-repository.ts";
import type { OrderDatabase } from "../store/schema.ts";
import { createTimerRepository } from "../store/timer-repository.ts";

/** Fires a timer, says so, and never commits. */
const store = openStore<OrderDatabase>({ url: process.env.DATABASE_URL ?? "", application: "hanging timer" });
const timers = createTimerRepository(store);
const hanging: typeof timers = {
  ...timers,
  takeDue: (now, work) =>
    timers.takeDue(now, async (timer) => {
      await work(timer);
      process.stdout.write("hanging\n");
      await new Promise(() => {});
    }),
};
const now = new Date(process.argv[2] ?? "");
await fireTimers(hanging, createOrderRepository(store), () => now)(new AbortController().signal);
