import { mkdirSync, readFileSync, statSync } from "node:fs";
import { rename, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import type { Instance, Registration } from "../registry.ts";
import { validateRegistration } from "../validate.ts";
import type { RegistryLogger } from "./logger.ts";

/** The last lists that were believed, for a process that starts while Redis is away. */
export interface SnapshotFile {
  /** What an earlier process believed of the service; undefined when it did not know it, or too long ago. */
  recall(service: string): readonly Instance[] | undefined;
  /** Redis upholds the list. A new one is written soon, together with what comes meanwhile; one that only still holds, now and then. */
  note(service: string, list: readonly Instance[]): void;
  /** Writes what is not written yet. Never rejects: a file that can't be written is a warning. */
  close(): Promise<void>;
}

export interface SnapshotFileOptions {
  /** One a process: the last that writes it has it. Its folder is made if need be. */
  readonly path: string;
  readonly logger: RegistryLogger | undefined;
  /** Milliseconds from a change to its write. Default 2000. */
  readonly delayMs?: number;
  /** Services whose lists don't fit are left out. Default 8 MiB. */
  readonly mostBytes?: number;
  /**
   * Milliseconds for which a list is of use after Redis last upheld it: by then its addresses may be somebody else's. Default a day, longer
   * than most outages last; RFC 8767 has one to three days for answers of the DNS.
   */
  readonly maxAgeMs?: number;
  /** Milliseconds since 1970; `Date` unless given. */
  readonly wallClock?: { now(): number };
}

const format = "weft-registry-snapshot";
const version = 2;
const defaultMostBytes = 8 * 1024 * 1024;
const dayMs = 24 * 3_600_000;
/** A list that is only upheld is written again so often in its time. */
const renewals = 24;

interface Remembered {
  readonly list: readonly Instance[];
  /** When Redis last upheld it, by the wall clock. */
  readonly upheldAt: number;
}

/** A file that is missing, broken or not of this kind is no error: nothing is remembered then. What it says is checked like a registration. */
export function openSnapshotFile(options: SnapshotFileOptions): SnapshotFile {
  const { path, logger, delayMs = 2_000, mostBytes = defaultMostBytes } = options;
  const { maxAgeMs = dayMs, wallClock = Date } = options;
  const recalled = load(path, mostBytes, logger);
  // Services that this process doesn't watch yet stay in the file.
  const lists = new Map(recalled);
  let timer: NodeJS.Timeout | undefined;
  let writing: Promise<void> = Promise.resolve();
  let warned = "";

  /** Also a time that is still to come is none to go by: the clock was put back. */
  function isWithin(ms: number, { upheldAt }: Remembered): boolean {
    return Math.abs(wallClock.now() - upheldAt) < ms;
  }

  function forgetOld(): void {
    for (const [service, remembered] of lists) if (!isWithin(maxAgeMs, remembered)) lists.delete(service);
  }

  function warn(message: string): void {
    if (message !== warned) logger?.warn({ path }, `registry: ${message}`);
    warned = message;
  }

  async function write(): Promise<void> {
    try {
      mkdirSync(dirname(path), { recursive: true });
      forgetOld();
      const { text, left } = encode(lists, mostBytes);
      await writeFile(`${path}.next`, text, { mode: 0o600 });
      await rename(`${path}.next`, path);
      if (left.length > 0) warn(`the snapshot has no room for ${left.join(", ")}: at most ${mostBytes} bytes`);
    } catch (error) {
      warn(`the snapshot could not be written: ${error instanceof Error ? error.message : error}`);
    }
  }

  function flush(): void {
    clearTimeout(timer);
    timer = undefined;
    writing = writing.then(write);
  }

  return {
    recall(service) {
      const found = recalled.get(service);
      return found !== undefined && isWithin(maxAgeMs, found) ? found.list : undefined;
    },
    note(service, list) {
      const before = lists.get(service);
      if (before?.list === list && isWithin(maxAgeMs / renewals, before)) return;
      lists.set(service, { list, upheldAt: wallClock.now() });
      timer ??= setTimeout(flush, delayMs).unref();
    },
    async close() {
      if (timer !== undefined) flush();
      await writing;
    },
  };
}

function encode(lists: ReadonlyMap<string, Remembered>, mostBytes: number): { text: string; left: string[] } {
  const head = `{"format":"${format}","version":${version},"services":{`;
  const parts: string[] = [];
  const left: string[] = [];
  let bytes = head.length + 2;
  for (const [service, { list, upheldAt }] of lists) {
    const part = `${JSON.stringify(service)}:${JSON.stringify({ upheldAt, instances: list.map(withoutLoad) })}`;
    const more = Buffer.byteLength(part) + 1;
    if (bytes + more > mostBytes) {
      left.push(service);
      continue;
    }
    bytes += more;
    parts.push(part);
  }
  return { text: `${head}${parts.join(",")}}}`, left };
}

function withoutLoad({ load: _, ...instance }: Instance): Omit<Instance, "load"> {
  return instance;
}

function load(path: string, mostBytes: number, logger: RegistryLogger | undefined): Map<string, Remembered> {
  const lists = new Map<string, Remembered>();
  try {
    if (statSync(path).size > mostBytes) throw new Error(`it is larger than ${mostBytes} bytes`);
    const content = JSON.parse(readFileSync(path, "utf8")) as unknown;
    if (!isObject(content) || content.format !== format || content.version !== version || !isObject(content.services))
      throw new Error(`it is no ${format} of version ${version}`);
    for (const [service, remembered] of Object.entries(content.services)) {
      if (!isObject(remembered)) continue;
      const { upheldAt, instances } = remembered;
      if (typeof upheldAt !== "number" || !Array.isArray(instances)) continue;
      const list = instances.flatMap((one: unknown) => decode(service, one) ?? []);
      if (list.length > 0) lists.set(service, { list, upheldAt });
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT")
      logger?.warn({ err: error, path }, "registry: the snapshot is of no use and is left aside");
  }
  return lists;
}

function decode(service: string, value: unknown): Instance | undefined {
  if (!isObject(value)) return undefined;
  const { instance, host, port, metadata, epoch, state } = value;
  if (!isObject(metadata) || typeof epoch !== "number" || !Number.isSafeInteger(epoch)) return undefined;
  if (state !== "UP" && state !== "DRAINING" && state !== "DOWN") return undefined;
  const registration = { service, instance, host, port, metadata } as Registration;
  try {
    validateRegistration(registration);
  } catch {
    return undefined;
  }
  return { ...registration, epoch, state };
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
