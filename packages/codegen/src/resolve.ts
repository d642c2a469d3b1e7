import {
  type DescField,
  type DescFile,
  type DescMessage,
  type DescMethod,
  type DescService,
  ScalarType,
} from "@bufbuild/protobuf";
import { MethodOptions_IdempotencyLevel } from "@bufbuild/protobuf/wkt";
import { Balancer, type CircuitBreaker, Criticality, type MethodPolicy } from "@weft/contracts";
import { collectBulkheads } from "./bulkheads.ts";
import { checkPolicy } from "./check-policy.ts";
import { declaredPolicies, methodPolicy, servicePolicy } from "./declared.ts";
import { milliseconds } from "./duration.ts";
import { placeOfMethod } from "./places.ts";
import type { Refusal } from "./refusal.ts";
import type { ResolvedBalancer, ResolvedBreaker, ResolvedBulkhead, ResolvedPolicy, ResolvedRetry } from "./resolved.ts";

/** The policies of a file's methods, by service and local method name, or why they are refused. */
export interface ResolvedFile {
  readonly services: ReadonlyMap<DescService, ReadonlyMap<DescMethod, ResolvedPolicy>>;
  readonly refusals: readonly Refusal[];
}

/** Fills in what methods leave to their service, and what both leave to the defaults of the mesh. */
export function resolvePolicies(file: DescFile): ResolvedFile {
  const bulkheads = collectBulkheads(file);
  const refusals = [...declaredPolicies(file)].flatMap(({ policy, place }) => checkPolicy(policy, place));
  refusals.push(...bulkheads.refusals);
  const services = new Map<DescService, Map<DescMethod, ResolvedPolicy>>();
  for (const service of file.services) {
    const resolved = new Map<DescMethod, ResolvedPolicy>();
    for (const method of service.methods) {
      const policy = resolveMethod(method, bulkheads.groups);
      resolved.set(method, policy);
      refusals.push(...checkMethod(method, policy));
    }
    services.set(service, resolved);
  }
  return { services, refusals };
}

function resolveMethod(method: DescMethod, groups: ReadonlyMap<string, ResolvedBulkhead>): ResolvedPolicy {
  const own = methodPolicy(method);
  const inherited = servicePolicy(method.parent);
  const timeout = own?.timeout ?? inherited?.timeout;
  const group = own?.bulkhead?.group || inherited?.bulkhead?.group;
  const callers = own?.allowedCallers.length ? own.allowedCallers : inherited?.allowedCallers;
  const repeatable = isIdempotent(method) || isKeyed(method);
  return {
    timeoutMs: timeout ? milliseconds(timeout) : 5_000,
    idempotent: isIdempotent(method),
    idempotencyKey: isKeyed(method),
    retry: repeatable && sendsOne(method) ? resolveRetry(own, inherited) : undefined,
    hedge: repeatable && sendsOne(method) ? resolveHedge(own, inherited) : undefined,
    circuitBreaker: resolveBreaker(own?.circuitBreaker, inherited?.circuitBreaker),
    bulkhead: group ? groups.get(group) : undefined,
    allowedCallers: callers ?? [],
    criticality: criticalityOf(own?.criticality || inherited?.criticality),
    balancer: resolveBalancer(method, own, inherited),
  };
}

/** What only shows when a method's policy meets its service's, its own idempotency and its shape. */
function* checkMethod(method: DescMethod, resolved: ResolvedPolicy): Iterable<Refusal> {
  const own = methodPolicy(method);
  const place = placeOfMethod(method);
  const repeats = [
    ...(own?.retry && own.retry.maxAttempts !== 1 ? ["retry"] : []),
    ...(own?.hedge && own.hedge.maxAttempts !== 1 ? ["hedge"] : []),
  ].join(" and ");
  if (repeats && !resolved.idempotent && !resolved.idempotencyKey) {
    yield {
      place,
      problem: `${repeats} on a method that is neither idempotent nor keyed could do its work twice`,
      mend: `Add \`option idempotency_level = IDEMPOTENT;\` or \`idempotency_key: true\`, or take ${repeats} away`,
    };
  }
  if (repeats && !sendsOne(method)) {
    yield {
      place,
      problem: `${repeats} on a stream of requests, which can't be sent again`,
      mend: `Take ${repeats} away`,
    };
  }
  if (own?.idempotencyKey && method.methodKind !== "unary") {
    yield {
      place,
      problem: "idempotency_key on a stream, whose responses are not stored",
      mend: "Make the method unary, or take idempotency_key away",
    };
  }
  const attempt = resolved.retry?.perAttemptTimeoutMs;
  if (attempt !== undefined && attempt > resolved.timeoutMs) {
    yield {
      place,
      problem: `its timeout of ${resolved.timeoutMs} ms is shorter than one attempt of ${attempt} ms`,
      mend: "Raise timeout or lower retry.per_attempt_timeout",
    };
  }
  if (method.localName === "policies") {
    yield {
      place,
      problem: "a client's policies are read as `policies`, which the method would hide",
      mend: "Give the method another name, such as GetPolicies",
    };
  }
  const hashKey = own?.hashKey;
  if (hashKey && fieldPath(method, hashKey) === undefined) {
    yield {
      place,
      problem: `hash_key "${hashKey}" is no single value of ${method.input.name}`,
      mend: 'Name a field of the request, such as "user_id" or "user.id"; not a list, a map, a message or bytes',
    };
  }
  if (own?.hedge && !own.hedge.delay && !servicePolicy(method.parent)?.hedge?.delay) {
    yield {
      place,
      problem: "hedge has no delay",
      mend: "Say when the second attempt starts, such as delay: {nanos: 50000000}",
    };
  }
}

function resolveRetry(own: MethodPolicy | undefined, inherited: MethodPolicy | undefined): ResolvedRetry | undefined {
  const [first, second] = [own?.retry, inherited?.retry];
  const maxAttempts = first?.maxAttempts || second?.maxAttempts || 3;
  if (maxAttempts === 1) return undefined;
  const perAttempt = first?.perAttemptTimeout ?? second?.perAttemptTimeout;
  const baseDelay = first?.baseDelay ?? second?.baseDelay;
  const maxDelay = first?.maxDelay ?? second?.maxDelay;
  const codes = first?.codes.length ? first.codes : second?.codes;
  return {
    maxAttempts,
    perAttemptTimeoutMs: perAttempt && milliseconds(perAttempt),
    baseDelayMs: baseDelay ? milliseconds(baseDelay) : 100,
    maxDelayMs: maxDelay ? milliseconds(maxDelay) : 60_000,
    multiplier: first?.multiplier || second?.multiplier || 2,
    jitter: first?.jitter ?? second?.jitter ?? 0.5,
    codes: codes?.length ? codes : ["UNAVAILABLE"],
  };
}

function resolveHedge(own: MethodPolicy | undefined, inherited: MethodPolicy | undefined): ResolvedPolicy["hedge"] {
  const delay = own?.hedge?.delay ?? inherited?.hedge?.delay;
  const maxAttempts = own?.hedge?.maxAttempts || inherited?.hedge?.maxAttempts || 2;
  return delay === undefined || maxAttempts === 1 ? undefined : { delayMs: milliseconds(delay), maxAttempts };
}

function resolveBreaker(own: CircuitBreaker | undefined, inherited: CircuitBreaker | undefined): ResolvedBreaker {
  const openFor = own?.openFor ?? inherited?.openFor;
  return {
    trip: resolveTrip(own?.trip.case ? own.trip : inherited?.trip),
    openForMs: openFor ? milliseconds(openFor) : 60_000,
    halfOpenSuccesses: own?.halfOpenSuccesses || inherited?.halfOpenSuccesses || 3,
  };
}

function resolveTrip(trip: CircuitBreaker["trip"] | undefined): ResolvedBreaker["trip"] {
  if (trip?.case !== "failureRatio") return { kind: "consecutive", failures: trip?.value ?? 5 };
  const { ratio, volume, window } = trip.value;
  return { kind: "ratio", ratio, volume, windowMs: window ? milliseconds(window) : 0 };
}

function criticalityOf(criticality: Criticality | undefined): ResolvedPolicy["criticality"] {
  if (criticality === Criticality.SHEDDABLE) return "sheddable";
  return criticality === Criticality.CRITICAL ? "critical" : "normal";
}

/** A service's hash key is for those of its methods whose requests have the field. */
function resolveBalancer(
  method: DescMethod,
  own: MethodPolicy | undefined,
  inherited: MethodPolicy | undefined,
): ResolvedBalancer {
  const hashKey = own?.hashKey || (own?.balancer ? undefined : inherited?.hashKey);
  const key = hashKey && sendsOne(method) ? fieldPath(method, hashKey) : undefined;
  if (key !== undefined) return { kind: "consistent-hash", key };
  switch (own?.balancer || inherited?.balancer) {
    case Balancer.LEAST_REQUEST:
      return { kind: "least-request" };
    case Balancer.ROUND_ROBIN:
      return { kind: "round-robin" };
    case Balancer.WEIGHTED_ROUND_ROBIN:
      return { kind: "weighted-round-robin" };
    default:
      return { kind: "peak-ewma" };
  }
}

/** The local names that lead to a single scalar of the request; undefined where there is none. */
function fieldPath(method: DescMethod, path: string): readonly string[] | undefined {
  const names = path.split(".");
  const local: string[] = [];
  let message: DescMessage | undefined = method.input;
  for (const [i, name] of names.entries()) {
    const field: DescField | undefined = message?.fields.find((each) => each.name === name);
    if (field === undefined || field.oneof !== undefined) return undefined;
    const isLast = i === names.length - 1;
    const isValue = field.fieldKind === "enum" || (field.fieldKind === "scalar" && field.scalar !== ScalarType.BYTES);
    if (isLast ? !isValue : field.fieldKind !== "message") return undefined;
    local.push(field.localName);
    message = field.message;
  }
  return local;
}

function isIdempotent(method: DescMethod): boolean {
  return method.idempotency !== MethodOptions_IdempotencyLevel.IDEMPOTENCY_UNKNOWN;
}

function isKeyed(method: DescMethod): boolean {
  const declared = methodPolicy(method)?.idempotencyKey || servicePolicy(method.parent)?.idempotencyKey;
  return method.methodKind === "unary" && declared === true;
}

/** Whether the request is one message, which can be kept and sent again. */
function sendsOne(method: DescMethod): boolean {
  return method.methodKind === "unary" || method.methodKind === "server_streaming";
}
