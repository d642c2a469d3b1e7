import type { Instance, InstanceState, Load, Registration } from "../registry.ts";

/** An instance as Redis has it. */
export interface Listed {
  readonly instance: Instance;
  /** It has missed two heartbeats. */
  readonly late: boolean;
}

/** What a read of one service found. */
export interface Snapshot {
  /** Names this state of affairs: a read that is given it answers only when things look different. */
  readonly mark: string;
  readonly version: string;
  /** Sorted by instance id; without those whose lease expired. */
  readonly listed: readonly Listed[];
}

/** The part of a record that stays the same for the whole life of a lease. */
export function encodeFacts({ host, port, metadata }: Registration): string {
  return JSON.stringify({ host, port, metadata });
}

export function encodeLoad({ eventLoopDelayMs, inFlight }: Load): string {
  return `${eventLoopDelayMs.toFixed(1)} ${inFlight}`;
}

/** Reads readScript's reply; undefined when it says that nothing moved. */
export function decodeSnapshot(service: string, heartbeatMs: number, reply: unknown): Snapshot | undefined {
  const [mark, version, now, leases, fields] = reply as [string, string?, string?, string[]?, string[]?];
  if (version === undefined || now === undefined || leases === undefined || fields === undefined) return undefined;
  const values = new Map(pairs(fields));
  const listed: Listed[] = [];
  for (const [id, expiry] of pairs(leases)) {
    const leftMs = Number(expiry) - Number(now);
    const record = values.get(`i:${id}`);
    if (leftMs <= 0 || record === undefined) continue;
    const instance = decodeInstance(service, id, record, values.get(`l:${id}`));
    if (instance !== undefined) listed.push({ instance, late: leftMs <= heartbeatMs });
  }
  listed.sort((a, b) => (a.instance.instance < b.instance.instance ? -1 : 1));
  return { mark, version, listed };
}

/** The instance as clients see it. */
export function asSeen({ instance, late }: Listed): Instance {
  return late ? { ...instance, state: "DOWN" } : instance;
}

function decodeInstance(service: string, id: string, record: string, load: string | undefined): Instance | undefined {
  const match = /^(\d+) (UP|DRAINING|DOWN) (\{.*\})$/s.exec(record);
  if (match === null) return undefined;
  const facts = JSON.parse(match[3] as string) as Pick<Registration, "host" | "port" | "metadata">;
  const instance = { ...facts, service, instance: id, epoch: Number(match[1]), state: match[2] as InstanceState };
  if (load === undefined) return instance;
  const [eventLoopDelayMs = 0, inFlight = 0] = load.split(" ").map(Number);
  return { ...instance, load: { eventLoopDelayMs, inFlight } };
}

function pairs(flat: readonly string[]): [string, string][] {
  const result: [string, string][] = [];
  for (let i = 0; i + 1 < flat.length; i += 2) result.push([flat[i] as string, flat[i + 1] as string]);
  return result;
}
