import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import { createGunzip } from "node:zlib";
import { decodeTraces } from "./decode.ts";
import type { CollectedSpan } from "./span.ts";

export interface CollectorOptions {
  /** Default 0, which takes a free one. */
  readonly port?: number;
}

export interface WaitOptions {
  /** Default 10,000. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/** An OpenTelemetry collector for tests: what processes export to it can be read back. */
export interface Collector {
  /** What OTEL_EXPORTER_OTLP_ENDPOINT is to be; the protocol is http/protobuf. */
  readonly url: string;
  /** All spans that arrived so far, in the order of their arrival. */
  spans(): readonly CollectedSpan[];
  /** The spans of the trace, each after its parent as far as that is here, siblings by start. Spans of one process
   * can disagree on the time by parts of a millisecond, and those of two machines by more. */
  trace(traceId: string): readonly CollectedSpan[];
  /**
   * Resolves with all spans as soon as they meet the condition, which is asked now and after each export. Rejects with the names
   * of those that came when the time is over, when the signal aborts, and when the collector closes.
   */
  until(
    condition: (spans: readonly CollectedSpan[]) => boolean,
    options?: WaitOptions,
  ): Promise<readonly CollectedSpan[]>;
  /** Forgets what arrived. */
  clear(): void;
  close(): Promise<void>;
}

/** Listens on 127.0.0.1 for OTLP over HTTP in protobuf, compressed or not. Metrics and logs are accepted and dropped. */
export async function startCollector({ port = 0 }: CollectorOptions = {}): Promise<Collector> {
  let spans: CollectedSpan[] = [];
  const listeners = new Set<() => void>();
  const closing = new AbortController();
  const server = createServer((request, response) => {
    receive(request)
      .then((received) => {
        spans = [...spans, ...received];
        answer(response, 200);
        for (const listener of listeners) listener();
      })
      .catch(() => answer(response, 400));
  });
  await listening(server, port);
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    spans: () => spans,
    trace: (traceId) => inOrder(spans.filter((span) => span.traceId === traceId)),
    clear() {
      spans = [];
    },
    until(condition, { timeoutMs = 10_000, signal } = {}) {
      const over = AbortSignal.timeout(timeoutMs);
      const stop = AbortSignal.any([over, closing.signal, ...(signal ? [signal] : [])]);
      return new Promise((resolve, reject) => {
        const end = () => {
          listeners.delete(check);
          stop.removeEventListener("abort", fail);
        };
        const fail = () => {
          end();
          const names = spans.map(({ service, name }) => `${service}: ${name}`).join("\n") || "none";
          const why = over.aborted ? `after ${timeoutMs} ms the condition does not hold` : String(stop.reason);
          reject(new Error(`${why}; the spans that arrived:\n${names}`));
        };
        const check = () => {
          try {
            if (!condition(spans)) return;
            end();
            resolve(spans);
          } catch (error) {
            end();
            reject(error);
          }
        };
        if (stop.aborted) return fail();
        listeners.add(check);
        stop.addEventListener("abort", fail);
        check();
      });
    },
    async close() {
      closing.abort(new Error("the collector was closed"));
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
    },
  };
}

async function receive(request: IncomingMessage): Promise<CollectedSpan[]> {
  const body = request.headers["content-encoding"] === "gzip" ? request.pipe(createGunzip()) : request;
  const bytes = await buffer(body);
  return request.url === "/v1/traces" ? decodeTraces(bytes) : [];
}

/** An empty body is an Export…ServiceResponse in which everything was accepted. */
function answer(response: ServerResponse, status: number): void {
  response.writeHead(status, { "content-type": "application/x-protobuf" }).end();
}

function listening(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", () => {
      server.off("error", reject);
      resolve();
    });
  });
}

function inOrder(spans: readonly CollectedSpan[]): CollectedSpan[] {
  const ids = new Set(spans.map(({ spanId }) => spanId));
  const byStart = spans.toSorted((a, b) => (a.startTime < b.startTime ? -1 : a.startTime > b.startTime ? 1 : 0));
  const childrenOf = (parent: string): CollectedSpan[] =>
    byStart.filter((span) => span.parentSpanId === parent).flatMap((span) => [span, ...childrenOf(span.spanId)]);
  return byStart
    .filter(({ parentSpanId }) => parentSpanId === undefined || !ids.has(parentSpanId))
    .flatMap((span) => [span, ...childrenOf(span.spanId)]);
}
