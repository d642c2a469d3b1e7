import type { Logger } from "@weft/telemetry";
import type { Client } from "pg";
import { backoffMs } from "./backoff.ts";
import { pause } from "./pause.ts";

export interface Listening {
  close(): Promise<void>;
}

export interface Listener {
  /** Resolves once the database listens; keeps on trying while it is away. */
  listen(channel: string, onNotify: () => void): Promise<Listening>;
  /** Calls this process's own listeners of a channel. */
  call(channel: string): void;
  close(): Promise<void>;
}

interface Channel {
  readonly callbacks: Set<() => void>;
  readonly ready: PromiseWithResolvers<void>;
}

/**
 * NOTIFY over one connection of its own for all channels. It is opened with the first channel and reconnects for
 * ever; after a reconnect each callback is called once, since notifications may have been missed meanwhile.
 */
export function createListener(
  connect: () => Promise<Client>,
  { logger, random }: { readonly logger: Logger; readonly random: () => number },
): Listener {
  const channels = new Map<string, Channel>();
  const closing = new AbortController();
  let client: Client | undefined;
  let running: Promise<void> | undefined;

  async function run(): Promise<void> {
    for (let failures = 0; !closing.signal.aborted; ) {
      try {
        const ended = await open();
        failures = 0;
        await ended;
        if (!closing.signal.aborted) logger.warn({}, "the connection for notifications was lost: connecting again");
      } catch (error) {
        if (!closing.signal.aborted) logger.warn({ error }, "no connection for notifications: trying again");
      }
      client = undefined;
      failures += 1;
      await pause(backoffMs(failures, { baseMs: 50, maxMs: 5_000, random }), closing.signal).catch(() => undefined);
    }
  }

  /** Connects and listens to all channels; resolves with a promise for the connection's end. */
  async function open(): Promise<Promise<void>> {
    const opened = await connect();
    const ended = new Promise<void>((resolve) => opened.once("end", resolve));
    try {
      closing.signal.throwIfAborted();
      opened.on("notification", ({ channel }) => call(channels.get(channel)));
      client = opened;
      for (const name of channels.keys()) await startListening(opened, name);
    } catch (error) {
      client = undefined;
      await opened.end().catch(() => undefined);
      throw error;
    }
    return ended;
  }

  async function startListening(on: Client, name: string): Promise<void> {
    await on.query(`listen ${on.escapeIdentifier(name)}`);
    const channel = channels.get(name);
    channel?.ready.resolve();
    call(channel);
  }

  function call(channel: Channel | undefined): void {
    for (const callback of channel?.callbacks ?? []) callback();
  }

  return {
    call: (name) => call(channels.get(name)),
    async listen(name, onNotify) {
      closing.signal.throwIfAborted();
      let channel = channels.get(name);
      if (!channel) {
        channel = { callbacks: new Set(), ready: Promise.withResolvers() };
        channel.ready.promise.catch(() => undefined);
        channels.set(name, channel);
        // A connection that fails here is replaced, and then listens to all.
        if (client) startListening(client, name).catch(() => undefined);
      }
      channel.callbacks.add(onNotify);
      running ??= run();
      await channel.ready.promise;
      return {
        async close() {
          channel.callbacks.delete(onNotify);
          if (channel.callbacks.size > 0 || channels.get(name) !== channel) return;
          channels.delete(name);
          const open = client;
          await open?.query(`unlisten ${open.escapeIdentifier(name)}`).catch(() => undefined);
        },
      };
    },
    async close() {
      const reason = new Error("the store is closed");
      closing.abort(reason);
      for (const channel of channels.values()) channel.ready.reject(reason);
      await client?.end().catch(() => undefined);
      await running;
    },
  };
}
