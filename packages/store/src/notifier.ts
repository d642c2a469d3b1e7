import { pause } from "./pause.ts";

export interface Notifier {
  /** Tells the listeners of a channel soon; what is told in one moment is told once. */
  notify(channel: string): void;
  close(): void;
}

export interface NotifierOptions {
  /** Tells this process's own listeners. */
  readonly call: (channel: string) => void;
  /** Tells those of other processes: NOTIFY. */
  readonly send: (channels: readonly string[]) => Promise<void>;
  /** Shortest time between two notifications, in milliseconds; default 10. */
  readonly gapMs?: number;
}

/**
 * Notifies after commits, not in them: PostgreSQL commits transactions that notify one after the other, each with a write to the disk of
 * its own. A notification that is lost, to a crash between commit and NOTIFY, is what listeners poll for.
 */
export function createNotifier({ call, send, gapMs = 10 }: NotifierOptions): Notifier {
  const closing = new AbortController();
  const due = new Set<string>();
  let sending = false;

  async function sendAll(): Promise<void> {
    sending = true;
    while (due.size > 0 && !closing.signal.aborted) {
      const channels = [...due];
      due.clear();
      await send(channels).catch(() => undefined);
      await pause(gapMs, closing.signal).catch(() => undefined);
    }
    sending = false;
  }

  return {
    notify(channel) {
      call(channel);
      due.add(channel);
      if (!sending) void sendAll();
    },
    close: () => closing.abort(new Error("the store is closed")),
  };
}
