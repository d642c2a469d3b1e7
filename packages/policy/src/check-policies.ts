import type {
  BalancerPolicy,
  BulkheadPolicy,
  CodeName,
  Criticality,
  MethodPolicy,
  ServicePolicies,
} from "./method-policy.ts";

/** What is wrong with policies that are to take the contract's place, a line each; none when they can. */
export function objectionsTo(next: ServicePolicies, contract: ServicePolicies): string[] {
  if (next.service !== contract.service) return [`  they are those of ${next.service}`];
  const lines: string[] = [];
  for (const method of Object.keys(contract.methods)) {
    const policy = next.methods[method];
    if (policy === undefined) lines.push(`  ${method}: is missing`);
    else
      for (const objection of objectionsToMethod(policy, contract.methods[method] as MethodPolicy))
        lines.push(`  ${method}: ${objection}`);
  }
  for (const method of Object.keys(next.methods))
    if (contract.methods[method] === undefined) lines.push(`  ${method}: the contract has no such method`);
  return [...lines, ...twoSizes(next)];
}

function* objectionsToMethod(policy: MethodPolicy, contract: MethodPolicy): Iterable<string> {
  const { timeoutMs, retry, hedge, circuitBreaker, bulkhead } = policy;
  if (policy.idempotent !== contract.idempotent || policy.idempotencyKey !== contract.idempotencyKey)
    yield "idempotent and idempotencyKey are the contract's, and can't be changed here";
  if (!isDuration(timeoutMs)) yield `timeoutMs is ${timeoutMs}; give milliseconds above 0`;
  if ((retry || hedge) && !policy.idempotent && !policy.idempotencyKey)
    yield "it is neither idempotent nor keyed: it can be neither retried nor hedged";
  if (retry) {
    if (!isCount(retry.maxAttempts)) yield `retry.maxAttempts is ${retry.maxAttempts}; give 1 or more`;
    if (!(retry.baseDelayMs >= 0) || !(retry.maxDelayMs >= 0)) yield "retry's delays must be 0 ms or more";
    if (!(retry.multiplier >= 1)) yield `retry.multiplier is ${retry.multiplier}; give 1 or more`;
    if (!(retry.jitter >= 0 && retry.jitter <= 1))
      yield `retry.jitter is ${retry.jitter}; give a ratio between 0 and 1`;
    const attemptMs = retry.perAttemptTimeoutMs;
    if (attemptMs !== undefined && !(isDuration(attemptMs) && attemptMs <= timeoutMs))
      yield `retry.perAttemptTimeoutMs is ${attemptMs}; give milliseconds up to timeoutMs, ${timeoutMs}`;
  }
  if (hedge && !(isDuration(hedge.delayMs) && isCount(hedge.maxAttempts)))
    yield "hedge wants a delayMs above 0 and a maxAttempts of 1 or more";
  for (const code of retry?.codes ?? [])
    if (!codeNames.has(code)) yield `retry.codes has ${code}, which is no gRPC code`;
  if (!criticalities.has(policy.criticality))
    yield `criticality is ${policy.criticality}; give sheddable, normal or critical`;
  if (!balancers.has(policy.balancer?.kind))
    yield `balancer.kind is ${policy.balancer?.kind}; give one of ${[...balancers].join(", ")}`;
  const queueMs = bulkhead?.queueTimeoutMs;
  if (queueMs !== undefined && !isDuration(queueMs))
    yield `bulkhead.queueTimeoutMs is ${queueMs}; give milliseconds above 0, or undefined`;
  const { trip } = circuitBreaker;
  if (trip.kind === "consecutive" && !isCount(trip.failures))
    yield `circuitBreaker.trip.failures is ${trip.failures}; give 1 or more`;
  if (
    trip.kind === "ratio" &&
    !(trip.ratio > 0 && trip.ratio <= 1 && isCount(trip.volume) && isDuration(trip.windowMs))
  )
    yield "circuitBreaker.trip wants a ratio above 0 and up to 1, a volume of 1 or more, and a windowMs above 0";
  if (!isDuration(circuitBreaker.openForMs) || !isCount(circuitBreaker.halfOpenSuccesses))
    yield "circuitBreaker wants an openForMs above 0 and 1 halfOpenSuccesses or more";
  if (bulkhead && !(isCount(bulkhead.maxConcurrent) && Number.isInteger(bulkhead.maxQueue) && bulkhead.maxQueue >= 0))
    yield `bulkhead ${bulkhead.group} wants a maxConcurrent of 1 or more and a maxQueue of 0 or more`;
}

const codeNames: ReadonlySet<string> = new Set<CodeName>([
  "CANCELLED",
  "UNKNOWN",
  "INVALID_ARGUMENT",
  "DEADLINE_EXCEEDED",
  "NOT_FOUND",
  "ALREADY_EXISTS",
  "PERMISSION_DENIED",
  "RESOURCE_EXHAUSTED",
  "FAILED_PRECONDITION",
  "ABORTED",
  "OUT_OF_RANGE",
  "UNIMPLEMENTED",
  "INTERNAL",
  "UNAVAILABLE",
  "DATA_LOSS",
  "UNAUTHENTICATED",
]);
const criticalities: ReadonlySet<string> = new Set<Criticality>(["sheddable", "normal", "critical"]);
const balancers: ReadonlySet<string | undefined> = new Set<BalancerPolicy["kind"]>([
  "peak-ewma",
  "least-request",
  "round-robin",
  "weighted-round-robin",
  "consistent-hash",
]);

function* twoSizes({ methods }: ServicePolicies): Iterable<string> {
  const groups = new Map<string, BulkheadPolicy>();
  for (const [method, { bulkhead }] of Object.entries(methods)) {
    if (bulkhead === undefined) continue;
    const before = groups.get(bulkhead.group) ?? bulkhead;
    groups.set(bulkhead.group, before);
    if (before.maxConcurrent !== bulkhead.maxConcurrent || before.maxQueue !== bulkhead.maxQueue)
      yield `  ${method}: bulkhead ${bulkhead.group} has another size elsewhere; all methods of a group share one`;
  }
}

function isDuration(ms: number): boolean {
  return Number.isFinite(ms) && ms > 0;
}

function isCount(count: number): boolean {
  return Number.isInteger(count) && count >= 1;
}
