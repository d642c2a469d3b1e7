import { readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { type DescMessage, fromBinary, type JsonValue, type MessageShape } from "@bufbuild/protobuf";
import { eventHeaders } from "@weft/events";

/** What the streams held after something had happened: kept unchanged, so that each later version can show that it still reads it. */
export interface History {
  /** Its file's name, without `.json`. */
  readonly name: string;
  /** What happened, in words. */
  readonly note: string;
  /** As the streams got them, oldest first. */
  readonly events: readonly RecordedEvent[];
}

export interface RecordedEvent {
  readonly stream: string;
  readonly sequence: number;
  readonly subject: string;
  /** When the stream got it; its `ce-time` says when it happened. */
  readonly storedAt: string;
  readonly headers: Readonly<Record<string, string>>;
  /** The bytes as they were published, in base64: what a replay delivers. */
  readonly data: string;
  /** The same as protobuf's JSON, for readers. */
  readonly message: JsonValue;
}

/** All histories of a folder, by name. */
export function readHistories(folder: string): readonly History[] {
  const files = readdirSync(folder).filter((file) => file.endsWith(".json"));
  return files.toSorted().map((file) => {
    const { note, events } = JSON.parse(readFileSync(join(folder, file), "utf8")) as Omit<History, "name">;
    return { name: basename(file, ".json"), note, events };
  });
}

export function bytesOf({ data }: RecordedEvent): Uint8Array {
  return new Uint8Array(Buffer.from(data, "base64"));
}

/** The id that the event was published with. */
export function idOf({ headers }: RecordedEvent): string {
  return headers[eventHeaders.id] ?? "";
}

/** What orders it: an order's id, or a user's. */
export function keyOf({ headers }: RecordedEvent): string {
  return headers[eventHeaders.key] ?? "";
}

/** The event's contents if it is of that type; undefined for another one. */
export function recordedAs<D extends DescMessage>(schema: D, event: RecordedEvent): MessageShape<D> | undefined {
  return event.subject === schema.typeName ? fromBinary(schema, bytesOf(event)) : undefined;
}

/** Whether that service published it. */
export function isOf(service: string, { headers }: RecordedEvent): boolean {
  return headers[eventHeaders.source] === `/${service}`;
}

/** What that service published of a key, in order. */
export function toldBy(service: string, events: readonly RecordedEvent[], key: string): readonly RecordedEvent[] {
  return events.filter((event) => isOf(service, event) && keyOf(event) === key);
}

/** When it came about for a service: its own when it happened there, another's when the stream got it. */
export function momentFor(service: string, event: RecordedEvent): Date {
  return new Date(isOf(service, event) ? (event.headers[eventHeaders.time] ?? event.storedAt) : event.storedAt);
}

/** The events in the order in which they came about for a service. */
export function asSeenBy(service: string, { events }: Pick<History, "events">): readonly RecordedEvent[] {
  const moments = new Map(events.map((event) => [event, momentFor(service, event).getTime()]));
  return events.toSorted((a, b) => (moments.get(a) ?? 0) - (moments.get(b) ?? 0));
}

/**
 * The events of several keys in another order, those of each key in theirs: what another day's timing could have made of them.
 * The same seed gives the same order.
 */
export function interleave(events: readonly RecordedEvent[], seed: number): readonly RecordedEvent[] {
  const lanes = [...Map.groupBy(events, keyOf).values()].map((lane) => [...lane]);
  const random = numbersFrom(seed);
  const order: RecordedEvent[] = [];
  while (lanes.length > 0) {
    const at = random(lanes.length);
    const next = lanes[at]?.shift();
    if (next) order.push(next);
    else lanes.splice(at, 1);
  }
  return order;
}

/** Whole numbers from 0 up to a limit: a linear congruential generator with the constants of Numerical Recipes. */
function numbersFrom(seed: number): (limit: number) => number {
  let state = seed >>> 0;
  return (limit) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
}
