import { until } from "../../until.ts";
import { machineNow } from "./fleet/machine-clock.ts";
import type { Fleet, FleetInstance } from "./fleet/open-fleet.ts";
import type { Call } from "./fleet/programs/orders.ts";

/** Resolves with the milliseconds after `at` until the registry has every one of the instances. */
export async function fullAfter(fleet: Fleet, instances: readonly FleetInstance[], at: number): Promise<number> {
  const full = async (): Promise<number | undefined> => {
    const there = new Set(await fleet.registered().catch(() => []));
    return instances.every(({ name }) => there.has(name)) ? machineNow() : undefined;
  };
  return Math.max(0, (await until("a registry that has all instances", full, 30_000)) - at);
}

/** Milliseconds after `at` until the instance answered its first call. */
export function answersAfter(calls: readonly Call[], { name }: FleetInstance, at: number): number {
  const first = calls.find(({ instance }) => instance === name);
  return first === undefined ? Number.POSITIVE_INFINITY : Math.max(0, first.startedAt - at);
}
