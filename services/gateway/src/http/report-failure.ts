import { recordError } from "@weft/telemetry";
import type { FastifyRequest } from "fastify";
import { runEdgeCall } from "../forward/index.ts";

/**
 * Lets `onError` hear of what failed outside of any call, in the request's own context: what it logs has the trace and
 * the correlation id.
 */
export async function reportFailure(
  request: FastifyRequest,
  error: unknown,
  onError: (error: unknown) => void,
): Promise<void> {
  const edge = {
    name: request.method,
    attributes: { "http.request.method": request.method },
    correlationId: request.id,
    signal: new AbortController().signal,
    timeoutMs: undefined,
    header: (name: string) => [request.headers[name]].flat()[0],
  };
  await runEdgeCall(edge, async (span) => {
    recordError(span, error);
    onError(error);
  });
}
