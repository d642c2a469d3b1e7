import { JetStreamApiError, type StreamInfo } from "@nats-io/jetstream";
import { InvalidArgumentError, InvalidSubjectError } from "@nats-io/transport-node";
import { type Logger, silentLogger } from "@weft/telemetry";
import { type Broker, BrokerUnavailable, type StreamState } from "../broker.ts";
import type { StreamSpec } from "../stream.ts";
import { openConnection } from "./connection.ts";
import { startConsumption } from "./consumption.ts";
import { writeHeaders } from "./message-headers.ts";
import { createOperations } from "./operations.ts";
import { openPauses } from "./pauses.ts";
import { createdAt, ensureStream, findStream, lacksNodes, type StreamLimits } from "./streams.ts";

export interface JetStreamBrokerOptions extends Partial<StreamLimits> {
  /** nats://host:port, several separated by commas; nats://user:password@host:port where NATS asks for that. */
  readonly url: string;
  /** Shown in the server's list of connections. */
  readonly name: string;
  readonly logger?: Logger;
  readonly random?: () => number;
}

const day = 86_400_000;

/** NATS JetStream, from server 2.9 on. Streams are created by whoever publishes or consumes first. */
export function createJetStreamBroker(options: JetStreamBrokerOptions): Broker {
  const { url, name, logger = silentLogger, random = Math.random } = options;
  const limits: StreamLimits = {
    maxAgeMs: options.maxAgeMs ?? 7 * day,
    deadLetterMaxAgeMs: options.deadLetterMaxAgeMs ?? 90 * day,
    duplicateWindowMs: options.duplicateWindowMs ?? 120_000,
    replicas: options.replicas ?? 1,
  };
  const connection = openConnection({ url, name, logger, random });
  const pauses = openPauses(connection, limits.replicas, { logger, random });
  // Streams that are known to be there; a server that comes back may have lost them.
  const ensured = new Map<string, Promise<StreamInfo>>();
  connection.onAvailable(() => ensured.clear());

  function ensure(stream: StreamSpec): Promise<StreamInfo> {
    let done = ensured.get(stream.name);
    if (!done) {
      done = ensureStream(connection.session().manager, stream, limits);
      ensured.set(stream.name, done);
    }
    return done;
  }

  return {
    async publish(message) {
      const { publisher, lost } = connection.session();
      try {
        if (message.toExisting && !ensured.has(message.stream.name)) throw new Error("the stream has to be looked at");
        await ensure(message.stream);
        // Whoever publishes compares first what the server that is there now still has.
        lost.throwIfAborted();
        return await publisher.publish(message.subject, message.data, writeHeaders(message));
      } catch (error) {
        const refused = isRefusal(error);
        if (!refused || !message.toExisting) ensured.delete(message.stream.name);
        throw refused ? error : new BrokerUnavailable("NATS did not acknowledge an event", { cause: error });
      }
    },
    async streamState(stream) {
      connection.session();
      ensured.delete(stream.name);
      try {
        return stateOf(await ensure(stream));
      } catch (error) {
        ensured.delete(stream.name);
        throw isRefusal(error) ? error : new BrokerUnavailable("NATS did not describe a stream", { cause: error });
      }
    },
    async existingState({ name }) {
      const { manager } = connection.session();
      try {
        const info = await findStream(manager, name);
        return info && stateOf(info);
      } catch (error) {
        throw isRefusal(error) ? error : new BrokerUnavailable("NATS did not describe a stream", { cause: error });
      }
    },
    consume: (options) => startConsumption(connection, pauses, options, limits, { logger, random }),
    onAvailable: (callback) => connection.onAvailable(callback),
    operations: createOperations(connection, pauses),
    async close() {
      await pauses.close();
      await connection.close();
    },
  };
}

function stateOf(info: StreamInfo): StreamState {
  return { created: createdAt(info), lastSequence: BigInt(info.state.last_seq) };
}

/** The server, or the client for it, answered that it will not take this event; all else is tried again. */
function isRefusal(error: unknown): boolean {
  if (error instanceof JetStreamApiError) return error.status < 500 && !lacksNodes(error);
  return error instanceof InvalidArgumentError || error instanceof InvalidSubjectError;
}
