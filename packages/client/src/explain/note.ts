import type { Clock } from "@weft/context";
import type { RetryBudget } from "@weft/policy";
import { codeName } from "@weft/rpc";
import type { Call } from "../call.ts";
import type { Endpoint } from "../endpoint.ts";
import type { Endpoints } from "../endpoints.ts";
import type { Picker } from "../picker.ts";
import type { AttemptExplanation, CandidateExplanation } from "./explanation.ts";

/** More of a large fleet would tell little, and be kept a thousand times. */
const mostCandidates = 16;

/** What an attempt is made in. */
interface Surroundings {
  readonly endpoints: Endpoints;
  readonly picker: Picker;
  readonly budget: RetryBudget;
  readonly clock: Clock;
}

/** Writes down what an attempt had to choose from, and what it chose. */
export function noteAttempt(
  call: Call,
  picked: Endpoint | undefined,
  { endpoints, picker, budget, clock }: Surroundings,
  refused: ReadonlySet<Endpoint> | undefined,
): AttemptExplanation {
  const now = clock.now();
  const scores = picker.scores(call.policy);
  const candidates = endpoints.up.map((endpoint): CandidateExplanation => {
    const { breaker, bulkhead } = endpoint.guard(call.policy);
    const { instance, epoch } = endpoint.instance;
    const passedOver = whyNot(call, endpoint, refused);
    const places = bulkhead?.getState();
    return {
      instance,
      epoch,
      score: scores.get(endpoint) ?? 0,
      ...(passedOver && { passedOver }),
      inFlight: endpoint.load.inFlight,
      latencyMs: endpoint.load.latency(now),
      breaker: breaker.getState().state,
      ...(places && {
        bulkhead: { running: places.running, queued: places.queued, maxConcurrent: places.maxConcurrent },
      }),
    };
  });
  const shown = [...candidates]
    .sort((one, other) => Number(isPicked(other, picked)) - Number(isPicked(one, picked)) || one.score - other.score)
    .slice(0, mostCandidates);
  const attempt: AttemptExplanation = {
    attempt: call.attempt,
    atMs: now - call.startedAt,
    timeLeftMs: call.deadline - now,
    candidates: candidates.length <= mostCandidates ? candidates : shown,
    omitted: Math.max(0, candidates.length - mostCandidates),
    ...(picked && { picked: picked.instance.instance }),
    why: why(picked, candidates),
    retryBudget: budget.getState().balance,
  };
  call.explanation?.attempts.push(attempt);
  return attempt;
}

export function noteOutcome(attempt: AttemptExplanation, call: Call, error: unknown, clock: Clock): void {
  attempt.outcome = error === undefined ? "OK" : codeName(error);
  attempt.durationMs = clock.now() - call.startedAt - attempt.atMs;
}

function isPicked(candidate: CandidateExplanation, picked: Endpoint | undefined): boolean {
  return candidate.instance === picked?.instance.instance && candidate.epoch === picked.instance.epoch;
}

function whyNot(
  call: Call,
  endpoint: Endpoint,
  refused: ReadonlySet<Endpoint> | undefined,
): CandidateExplanation["passedOver"] {
  if (refused?.has(endpoint) || call.tried?.includes(endpoint)) return "tried before";
  if (!endpoint.reachable) return "unreachable";
  if (!endpoint.outlier.admits) return "outlier";
  return endpoint.guard(call.policy).breaker.admits() ? undefined : "circuit open";
}

function why(picked: Endpoint | undefined, candidates: readonly CandidateExplanation[]): AttemptExplanation["why"] {
  if (picked === undefined) return "nothing admits";
  const chosen = candidates.find((each) => isPicked(each, picked));
  if (chosen?.passedOver !== undefined) return "none other admits";
  return picked.outlier.getState().state.kind === "probing" ? "trial of an outlier" : "balancer";
}
