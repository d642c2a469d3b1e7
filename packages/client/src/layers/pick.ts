import { Code, ConnectError } from "@connectrpc/connect";
import { isBreakerOpen, isLocalRejection } from "@weft/policy";
import { codeName, orAborted, type RpcResponse, untilComplete, wasNeverProcessed } from "@weft/rpc";
import { meter, setSpanAttributes } from "@weft/telemetry";
import type { Balancer, Outcome } from "../balancer/balancer.ts";
import type { Call, Next } from "../call.ts";
import type { Endpoint } from "../endpoint.ts";
import type { Endpoints } from "../endpoints.ts";
import { blameForTime, blamesEndpoint } from "../errors.ts";
import { withFirstMessage } from "../first-message.ts";
import type { MeshEvent, RejectionCause } from "../mesh-event.ts";

/** How often a call that no server saw goes elsewhere at once, whatever its method (gRFC A6). */
const transparentRetries = 2;

/**
 * Sends an attempt to one of the endpoints that admit it, through that endpoint's breaker and bulkhead. An endpoint
 * that refuses here (its circuit opened, its queue is full) costs nothing: the next one is asked at once.
 */
export function pickLayer(
  endpoints: Endpoints,
  balancer: Balancer<Endpoint>,
  send: (endpoint: Endpoint) => Next,
  emit: (event: MeshEvent) => void,
): Next {
  const rejections = meter("weft.client").createCounter("weft.client.rejections");
  const reject = (call: Call, endpoint: Endpoint, cause: RejectionCause): void => {
    rejections.add(1, { "rpc.service": call.method.parent.typeName, cause });
    emit({ kind: "rejected", method: call.scope, instance: endpoint.instance.instance, cause });
  };
  return async (call) => {
    await orAborted(endpoints.ready, call.signal);
    const refused = new Set<Endpoint>();
    let refusal: unknown;
    for (let unseen = 0; ; ) {
      const [first, ...others] = endpoints.up.filter((each) => !refused.has(each) && each.admits(call.policy));
      if (!first) {
        if (refusal === undefined) for (const each of endpoints.up) reject(call, each, "circuit");
        throw refusal ?? noEndpoint(call, endpoints);
      }
      const { endpoint, done } = balancer.pick([first, ...others]);
      try {
        return await through(endpoint, call, done, send(endpoint));
      } catch (error) {
        if (isLocalRejection(error)) {
          reject(call, endpoint, isBreakerOpen(error) ? "circuit" : "bulkhead");
          refusal = new ConnectError(`${call.scope} was not sent: ${String(error)}`, Code.Unavailable);
          refused.add(endpoint);
        } else if (wasNeverProcessed(error) && unseen < transparentRetries && call.repeatable && !call.signal.aborted) {
          unseen += 1;
          if (others.length > 0) refused.add(endpoint);
        } else {
          throw error;
        }
      }
    }
  };
}

/**
 * The bulkhead's place and the count of running calls last as long as the call does. The breaker judges what it saw until
 * the first message: a stream may go on for hours, and would hold a half-open circuit shut.
 */
function through(endpoint: Endpoint, call: Call, done: (outcome: Outcome) => void, next: Next): Promise<RpcResponse> {
  const breaker = endpoint.breaker(call.policy);
  const bulkhead = endpoint.bulkhead(call.policy);
  const inItsPlace = (run: () => Promise<void>): Promise<void> =>
    bulkhead ? bulkhead.execute(run, call.signal) : run();
  setSpanAttributes({
    "server.address": endpoint.instance.host,
    "server.port": endpoint.instance.port,
    "weft.instance": endpoint.instance.instance,
    "weft.attempt": call.attempt,
  });
  const judged = async (): Promise<RpcResponse> => {
    try {
      const response = await next(call);
      return response.stream ? await withFirstMessage(response) : response;
    } catch (error) {
      throw blameForTime(error, call);
    }
  };
  return untilComplete(
    (run) => endpoint.during(() => inItsPlace(run)).then(() => done("success"), ended(done)),
    () => breaker.execute(judged, call.signal),
    call.signal,
  );
}

function ended(done: (outcome: Outcome) => void): (error: unknown) => never {
  return (error) => {
    done(
      codeName(error) === "CANCELLED" || isLocalRejection(error)
        ? "cancelled"
        : blamesEndpoint(error)
          ? "failure"
          : "success",
    );
    throw error;
  };
}

function noEndpoint(call: Call, endpoints: Endpoints): ConnectError {
  const service = call.method.parent.typeName;
  const why =
    endpoints.up.length === 0
      ? `no instance of ${service} is registered: is the service running?`
      : `the circuits of all ${endpoints.up.length} instances of ${service} are open`;
  return new ConnectError(why, Code.Unavailable);
}
