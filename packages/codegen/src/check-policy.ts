import type { Duration } from "@bufbuild/protobuf/wkt";
import type { MethodPolicy } from "@weft/contracts";
import { durationProblem } from "./duration.ts";
import type { Place, Refusal } from "./refusal.ts";

/** The gRPC codes that a call can fail with, by the names that contracts use. */
const codeNames: readonly string[] = [
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
];

/** What one declaration, a method's or a service's, gets wrong on its own. */
export function checkPolicy(policy: MethodPolicy, place: Place): Refusal[] {
  return [...durations(policy), ...retry(policy), ...breaker(policy)].map((said) => ({ place, ...said }));
}

type Said = Omit<Refusal, "place">;

function* durations(policy: MethodPolicy): Iterable<Said> {
  const trip = policy.circuitBreaker?.trip;
  const named: readonly (readonly [string, Duration | undefined])[] = [
    ["timeout", policy.timeout],
    ["retry.per_attempt_timeout", policy.retry?.perAttemptTimeout],
    ["retry.base_delay", policy.retry?.baseDelay],
    ["retry.max_delay", policy.retry?.maxDelay],
    ["hedge.delay", policy.hedge?.delay],
    ["circuit_breaker.open_for", policy.circuitBreaker?.openFor],
    ["circuit_breaker.failure_ratio.window", trip?.case === "failureRatio" ? trip.value.window : undefined],
    ["bulkhead.queue_timeout", policy.bulkhead?.queueTimeout],
  ];
  for (const [name, duration] of named) {
    const problem = duration && durationProblem(duration);
    if (problem)
      yield { problem: `${name} ${problem}`, mend: `Give a duration such as {seconds: 1}, or leave ${name} out` };
  }
}

function* retry({ retry }: MethodPolicy): Iterable<Said> {
  if (retry === undefined) return;
  for (const code of retry.codes) {
    if (codeNames.includes(code)) continue;
    yield {
      problem: `retry.codes has "${code}", which is no gRPC code`,
      mend: `Use names such as ${codeNames.slice(-4, -2).join(", ")}`,
    };
  }
  if (retry.jitter !== undefined && !(retry.jitter >= 0 && retry.jitter <= 1)) {
    yield { problem: `retry.jitter is ${retry.jitter}`, mend: "Give a ratio between 0 and 1" };
  }
  // Zero is proto3's word for "not said".
  if (retry.multiplier !== 0 && !(retry.multiplier >= 1 && Number.isFinite(retry.multiplier))) {
    yield { problem: `retry.multiplier is ${retry.multiplier}`, mend: "Give 1 or more, so that waits never shrink" };
  }
}

function* breaker({ circuitBreaker }: MethodPolicy): Iterable<Said> {
  const trip = circuitBreaker?.trip;
  if (trip?.case === "consecutiveFailures" && trip.value === 0) {
    yield { problem: "circuit_breaker.consecutive_failures is 0", mend: "Give 1 or more, or leave it out for 5" };
  }
  if (trip?.case !== "failureRatio") return;
  const { ratio, volume, window } = trip.value;
  if (!(ratio > 0 && ratio <= 1)) {
    yield { problem: `circuit_breaker.failure_ratio.ratio is ${ratio}`, mend: "Give a ratio above 0 and up to 1" };
  }
  if (volume === 0) {
    yield {
      problem: "circuit_breaker.failure_ratio has no volume",
      mend: "Say how many calls of a window are judged, such as volume: 20",
    };
  }
  if (window === undefined) {
    yield {
      problem: "circuit_breaker.failure_ratio has no window",
      mend: "Say over which time it is taken, such as window: {seconds: 10}",
    };
  }
}
