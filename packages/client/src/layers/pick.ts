import type { StreamResponse } from "@connectrpc/connect";
import { Code, ConnectError } from "@connectrpc/connect";
import type { Clock } from "@weft/context";
import { isBreakerOpen, isBulkheadRejected, type RetryBudget } from "@weft/policy";
import { codeName, deadlinePassed, type RpcResponse, wasNeverProcessed, whenOver } from "@weft/rpc";
import { meter } from "@weft/telemetry";
import type { Call, Next } from "../call.ts";
import type { Endpoint, Guard } from "../endpoint.ts";
import type { Endpoints } from "../endpoints.ts";
import { answered, blameForTime, isUnreachable, type Verdict, verdictOf, wasShed } from "../errors.ts";
import type { AttemptExplanation } from "../explain/explanation.ts";
import { noteAttempt, noteOutcome } from "../explain/note.ts";
import { withFirstMessage } from "../first-message.ts";
import type { MeshEvent, RejectionCause } from "../mesh-event.ts";
import type { Picker } from "../picker.ts";
import { retryCounter } from "../retry-counter.ts";

/** How often a call that no server saw goes elsewhere at once, whatever its method (gRFC A6). */
const transparentRetries = 2;
/** How often one does that a server was too busy to begin, or that failed where an endpoint was on trial; within the retry budget. */
const retriesElsewhere = 1;

export interface PickParts {
  readonly endpoints: Endpoints;
  readonly picker: Picker;
  readonly budget: RetryBudget;
  readonly emit: (event: MeshEvent) => void;
  readonly clock: Clock;
}

type Judge = (verdict: Verdict, error?: unknown) => Promise<unknown> | undefined;

/** What an attempt has tried so far. */
interface Search {
  readonly refused: Set<Endpoint>;
  /** Why an endpoint refused it on this side. */
  refusal: unknown;
  /** How the last attempt that was sent ended. */
  answer: unknown;
  unseen: number;
  elsewhere: number;
}

/**
 * Sends an attempt to one of the endpoints that admit it, through that endpoint's breaker and bulkhead. An endpoint
 * that refuses here (its circuit opened, its queue is full) costs nothing: the next one is asked at once.
 */
export function pickLayer(
  parts: PickParts,
  send: (endpoint: Endpoint, call: Call, startedAt: number) => Promise<RpcResponse>,
): Next {
  const { endpoints, picker, budget, emit, clock } = parts;
  const rejections = meter("weft.client").createCounter("weft.client.rejections");
  const retries = retryCounter();

  function reject(call: Call, endpoint: Endpoint, cause: RejectionCause): void {
    rejections.add(1, { ...call.called.attributes, cause });
    emit({ kind: "rejected", method: call.scope, instance: endpoint.instance.instance, cause });
  }

  function attempt(call: Call, search: Search | undefined): Promise<RpcResponse> {
    const endpoint = picker.pick(call, search?.refused);
    const note = call.explanation && noteAttempt(call, endpoint, parts, search?.refused);
    if (endpoint === undefined) {
      const error = nothingAdmits(call, search);
      if (note !== undefined) noteOutcome(note, call, error, clock);
      return Promise.reject(error);
    }
    const guard = endpoint.guard(call.policy);
    if (guard.bulkhead === undefined || guard.bulkhead.tryEnter()) return through(call, endpoint, guard, search, note);
    return guard.bulkhead.enter(call.signal, call.deadline - clock.now()).then(
      () => through(call, endpoint, guard, search, note),
      (error: unknown) => {
        if (note !== undefined) noteOutcome(note, call, error, clock);
        return refused(call, endpoint, error, search);
      },
    );
  }

  /** The circuit opened, or the bulkhead is full: nothing was sent. */
  function refused(call: Call, endpoint: Endpoint, error: unknown, search = newSearch()): Promise<RpcResponse> {
    if (call.signal?.aborted) return Promise.reject(error);
    if (isBulkheadRejected(error) && error.reason === "deadline") return Promise.reject(deadlinePassed());
    reject(call, endpoint, isBreakerOpen(error) ? "circuit" : "bulkhead");
    search.refusal = new ConnectError(`${call.scope} was not sent: ${String(error)}`, Code.Unavailable);
    search.refused.add(endpoint);
    return attempt(call, search);
  }

  function nothingAdmits(call: Call, search: Search | undefined): unknown {
    const before = search?.answer ?? search?.refusal;
    if (before !== undefined) return before;
    for (const each of endpoints.up) reject(call, each, "circuit");
    return noEndpoint(call, endpoints);
  }

  /**
   * The bulkhead's place and the count of running calls last as long as the call does. The breaker judges what it saw until
   * the first message: a stream may go on for hours, and would hold a half-open circuit shut.
   */
  function through(
    call: Call,
    endpoint: Endpoint,
    { breaker, bulkhead }: Guard,
    search: Search | undefined,
    note: AttemptExplanation | undefined,
  ): Promise<RpcResponse> {
    if (!breaker.admits()) {
      bulkhead?.leave();
      // It opened while the call was queued.
      return breaker.execute(never).catch((error: unknown) => refused(call, endpoint, error, search));
    }
    const { load, outlier, instance } = endpoint;
    call.span?.setAttributes({
      "server.address": instance.host,
      "server.port": instance.port,
      "weft.instance": instance.instance,
      "weft.attempt": call.attempt,
    });
    call.tried?.push(endpoint);
    const permit = breaker.begin();
    const isTrial = permit.isProbe || outlier.isTrial;
    const trial = outlier.begin();
    const startedAt = clock.now();
    load.begin(startedAt);
    const judge = (verdict: Verdict, error?: unknown): Promise<unknown> | undefined => {
      if (note !== undefined) noteOutcome(note, call, error, clock);
      const now = clock.now();
      const status = error === undefined ? "OK" : codeName(error);
      call.called.attempts.ended(undefined, now - startedAt, status, error);
      // Whoever doesn't know the method may be another service, at an address that has changed hands.
      if (verdict.load === "success" && status !== "UNIMPLEMENTED") endpoint.answeredAt = now;
      load.answered(startedAt, now, verdict.load);
      outlier.record(verdict.outlier, trial);
      return permit.end(verdict.breaker);
    };
    const leave = (): void => {
      bulkhead?.leave();
      endpoint.release();
    };
    let sent: Promise<RpcResponse>;
    try {
      sent = send(endpoint, call, startedAt);
    } catch (error) {
      sent = Promise.reject(error);
    }
    return sent.then(
      (response) => {
        if (response.stream) return beginStream(response, call, endpoint, startedAt, judge, leave, isTrial, search);
        leave();
        const recorded = judge(answered);
        // A probe's success may close the circuit for the next call.
        return recorded === undefined ? response : recorded.then(() => response);
      },
      (error: unknown) => {
        leave();
        return failed(call, endpoint, error, startedAt, judge, isTrial, search);
      },
    );
  }

  async function beginStream(
    response: StreamResponse,
    call: Call,
    endpoint: Endpoint,
    startedAt: number,
    judge: Judge,
    leave: () => void,
    isTrial: boolean,
    search: Search | undefined,
  ): Promise<RpcResponse> {
    let begun: StreamResponse;
    try {
      begun = await withFirstMessage(response);
    } catch (error) {
      leave();
      return failed(call, endpoint, error, startedAt, judge, isTrial, search);
    }
    await judge(answered);
    return whenOver(Promise.resolve(begun), () => call.signal, leave);
  }

  async function failed(
    call: Call,
    endpoint: Endpoint,
    reason: unknown,
    startedAt: number,
    judge: Judge,
    isTrial: boolean,
    search = newSearch(),
  ): Promise<RpcResponse> {
    const error = blameForTime(reason, clock.now() - startedAt, call.policy.timeoutMs);
    const verdict = verdictOf(error);
    await judge(verdict, error);
    if (isUnreachable(error)) endpoint.lost();
    call.tried ??= [endpoint];
    if (!call.repeatable || call.signal?.aborted || call.deadline <= clock.now()) throw error;
    search.answer = error;
    const unseen = wasNeverProcessed(error) && search.unseen < transparentRetries;
    const others = endpoints.up.length > 1;
    if (!unseen) {
      // That an endpoint is tried again is the mesh's doing, and not to be felt by a call that may be repeated.
      const wasTried = isTrial && verdict.load === "failure" && call.policy.retry !== undefined;
      const goesElsewhere = others && (wasTried || wasShed(error)) && search.elsewhere < retriesElsewhere;
      if (!goesElsewhere || !budget.withdraw()) throw error;
    }
    if (unseen) search.unseen += 1;
    else search.elsewhere += 1;
    retries.add(1, { ...call.called.attributes, kind: unseen ? "transparent" : "elsewhere" });
    if (others) search.refused.add(endpoint);
    return attempt(call, search);
  }

  return (call) => {
    if (endpoints.isReady) return attempt(call, undefined);
    return endpoints.whenReady(call.signal, call.deadline - clock.now()).then(() => attempt(call, undefined));
  };
}

function newSearch(): Search {
  return { refused: new Set(), refusal: undefined, answer: undefined, unseen: 0, elsewhere: 0 };
}

function never(): never {
  throw new Error("a circuit that is open let a call through");
}

function noEndpoint(call: Call, endpoints: Endpoints): ConnectError {
  const service = call.method.parent.typeName;
  if (endpoints.isClosed) return new ConnectError("the mesh was closed", Code.Unavailable);
  const why =
    endpoints.up.length === 0
      ? `no instance of ${service} is registered: is the service running?`
      : `the circuits of all ${endpoints.up.length} instances of ${service} are open`;
  return new ConnectError(why, Code.Unavailable);
}
