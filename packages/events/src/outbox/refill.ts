import type { Logger } from "@weft/telemetry";
import { type Broker, BrokerUnavailable, type StreamState } from "../broker.ts";
import { messageIdHeader } from "../event-headers.ts";
import { deadLetterStream, streamOf } from "../stream.ts";
import type { AcknowledgedStream, OutboxTable } from "./outbox-table.ts";

type StreamName = Pick<AcknowledgedStream, "stream" | "subject">;

/**
 * Compares streams with what the broker had acknowledged of them, and lets what it lost leave again, in the order of
 * its keys: all kept rows where the stream is another one, those above its newest event where it was rolled back.
 * The event's id lets the broker and the inboxes drop what they have. Resolves with whether any had lost something. While events are
 * under way it only says so: those would come into a stream that is made anew before what it had. Without `streams` it looks
 * at all that were ever published to.
 */
export async function refillStreams(
  broker: Broker,
  table: OutboxTable,
  logger: Logger,
  streams?: readonly StreamName[],
  underWay = false,
): Promise<boolean> {
  if (streams?.length === 0) return false;
  const acknowledged = await table.streams();
  let lost = false;
  for (const { stream, subject } of streams ?? acknowledged) {
    const known = acknowledged.find((each) => each.stream === stream);
    const spec = streamOf(stream, subject);
    const asked = known && underWay ? broker.existingState(spec) : broker.streamState(spec);
    const state = await asked.catch((error: unknown) => {
      if (error instanceof BrokerUnavailable) throw error;
      // A stream that the broker refuses holds up none but its own events, and those when they are published.
      return "refused" as const;
    });
    if (state === "refused") continue;
    if (!state) return true;
    let kept = known ? whatIsKept(known, state) : undefined;
    if (kept === undefined && known && (await isOthers(broker, known))) kept = 0n;
    if (known?.created === state.created && kept === undefined) continue;
    if (underWay && kept !== undefined) return true;
    // A stream that is met for the first time has nothing to be refilled with.
    const lastSequence = kept === undefined ? (known?.lastSequence ?? 0n) : state.lastSequence;
    const rows = await table.reopen({ stream, subject, created: state.created, lastSequence }, kept ?? lastSequence);
    if (kept === undefined) continue;
    logger.warn({ stream, rows }, "the broker lost events: they are published again");
    lost = true;
  }
  return lost;
}

/**
 * Whether the number of what the broker acknowledged last is another event's: it was rolled back, and others have published past it
 * since. Only dead letters share a stream. One that was dropped meanwhile tells nothing.
 */
async function isOthers(
  { operations }: Broker,
  { stream, lastSequence, lastId }: AcknowledgedStream,
): Promise<boolean> {
  if (stream !== deadLetterStream.name || lastId === undefined) return false;
  const message = await operations.get(stream, lastSequence);
  return message !== undefined && message.headers[messageIdHeader] !== lastId;
}

/** The number up to which the broker has what it acknowledged; undefined when that is all of it. */
function whatIsKept(known: AcknowledgedStream, state: StreamState): bigint | undefined {
  if (known.created !== undefined && known.created !== state.created) return 0n;
  return state.lastSequence < known.lastSequence ? state.lastSequence : undefined;
}
