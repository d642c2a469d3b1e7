import type { ConsumerMessages, JsMsg } from "@nats-io/jetstream";
import { backoffMs, pause } from "@weft/store";
import type { Logger } from "@weft/telemetry";
import type { ConsumeOptions, Consumption, IncomingMessage } from "../broker.ts";
import type { Connection, Session } from "./connection.ts";
import { ensureConsumer, nameAtBroker } from "./consumers.ts";
import { createGatherer } from "./gather.ts";
import { readHeaders } from "./message-headers.ts";
import type { Pauses } from "./pauses.ts";
import { ensureStream, type StreamLimits } from "./streams.ts";

/**
 * A pull dies with the node that leads the consumer. The client notices by two missed heartbeats, which come in half this
 * time, and waits this long between two tries to pull again.
 */
const pullExpiresMs = 2_000;

/** How long an answer may wait for others: nobody waits for it. */
const answersWaitMs = 5;

/**
 * Pulls from a durable consumer until it is stopped; what is missing or was deleted is created again. A message can be answered on the
 * connection that it came by and no other: a server that was rolled back meanwhile has given its number to another one.
 */
export function startConsumption(
  connection: Connection,
  pauses: Pauses,
  options: ConsumeOptions,
  limits: StreamLimits,
  { logger, random }: { readonly logger: Logger; readonly random: () => number },
): Consumption {
  const { stream, consumer, prefetch, onMessage } = options;
  const stopping = new AbortController();
  let messages: ConsumerMessages | undefined;
  let name: string | undefined;
  const answers = createGatherer({ waitMs: answersWaitMs });
  let held = 0;
  let room: (() => void) | undefined;

  async function run(): Promise<void> {
    for (let failures = 0; !stopping.signal.aborted; ) {
      try {
        await pauses.passed(stream.name, consumer, stopping.signal);
        const session = await connection.ready(stopping.signal);
        const { client, manager } = session;
        name = nameAtBroker(consumer, await ensureStream(manager, stream, limits));
        await ensureConsumer(manager, name, options);
        const pulling = await client.consumers.get(stream.name, name);
        messages = await pulling.consume({
          max_messages: prefetch,
          abort_on_missing_resource: true,
          expires: pullExpiresMs,
        });
        failures = 0;
        await take(messages, session, name);
      } catch (error) {
        if (stopping.signal.aborted) return;
        logger.warn({ error, stream: stream.name, consumer }, "a consumer can't be read from: trying again");
      }
      failures += 1;
      await pause(backoffMs(failures, { baseMs: 100, maxMs: 5_000, random }), stopping.signal).catch(() => undefined);
    }
  }

  async function take(from: ConsumerMessages, session: Session, name: string): Promise<void> {
    const { lost } = session;
    const close = (): void => void from.close();
    if (stopping.signal.aborted || lost.aborted) return close();
    lost.addEventListener("abort", close);
    try {
      for await (const message of from) {
        if (lost.aborted) continue;
        if (stopping.signal.aborted) {
          message.nak();
          continue;
        }
        held += 1;
        onMessage(incoming(message, session, name));
        if (held >= prefetch) {
          await new Promise<void>((resolve) => {
            room = resolve;
          });
        }
      }
    } finally {
      lost.removeEventListener("abort", close);
    }
  }

  function incoming(message: JsMsg, session: Session, name: string): IncomingMessage {
    const { lost } = session;
    let open = true;
    const settle = (answer: () => void): void => {
      if (!open) return;
      open = false;
      held -= 1;
      answers.add(() => {
        if (!lost.aborted) answer();
      });
      if (stopping.signal.aborted) answers.flush();
      room?.();
      room = undefined;
    };
    return {
      stream: stream.name,
      subject: message.subject,
      headers: readHeaders(message.headers),
      data: message.data,
      sequence: BigInt(message.seq),
      deliveryCount: message.info.deliveryCount,
      storedAt: message.time,
      ack: () => settle(() => message.ack()),
      nak: (delayMs) => settle(() => message.nak(Math.max(0, Math.round(delayMs)))),
      drop: () => settle(() => undefined),
      working() {
        if (open && !lost.aborted) message.working();
      },
      async predecessorsSettled() {
        try {
          return (await isSettled(session, stream.name, name, message.seq)) && !lost.aborted;
        } catch {
          // NATS is away, or the consumer has no leader for the moment: the event waits as if they weren't.
          return false;
        }
      },
    };
  }

  const running = run();
  const forget = pauses.onPause(stream.name, consumer, () => void messages?.close());
  return {
    async stop() {
      forget();
      stopping.abort(new Error("the consumption is stopped"));
      room?.();
      await messages?.close();
      await running;
      answers.flush();
    },
    async pending() {
      try {
        const { manager } = connection.session();
        return name === undefined ? undefined : (await manager.consumers.info(stream.name, name)).num_pending;
      } catch {
        return undefined;
      }
    },
  };
}

/**
 * Everything before is acknowledged, or the stream has dropped it. The floor of a consumer with several copies is not exact after a
 * change of its leader: it is not believed while more is unanswered than there can be from the message on.
 */
async function isSettled({ manager }: Session, stream: string, consumer: string, seq: number): Promise<boolean> {
  const { ack_floor, delivered, num_ack_pending } = await manager.consumers.info(stream, consumer);
  const fromHereOn = delivered.stream_seq - (seq - 1);
  if (ack_floor.stream_seq >= seq - 1 && num_ack_pending <= fromHereOn) return true;
  const { state } = await manager.streams.info(stream);
  return state.first_seq >= seq;
}
