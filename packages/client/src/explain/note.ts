import type { Clock } from "@weft/context";
import type { RetryBudget } from "@weft/policy";
import { codeName } from "@weft/rpc";
import type { Score } from "../balancer/contract.ts";
import type { Call } from "../call.ts";
import type { Endpoint } from "../endpoint.ts";
import type { Picker } from "../picker.ts";
import type { AttemptExplanation, CandidateExplanation } from "./explanation.ts";

/** More of a large fleet would tell little, and be kept a thousand times. */
const mostCandidates = 16;

/** What an attempt is made in. */
interface Surroundings {
  readonly picker: Picker;
  readonly budget: RetryBudget;
  readonly clock: Clock;
}

/** Writes down what an attempt had to choose from, and what it chose. */
export function noteAttempt(
  call: Call,
  picked: Endpoint | undefined,
  { picker, budget, clock }: Surroundings,
  refused: ReadonlySet<Endpoint> | undefined,
): AttemptExplanation {
  const now = clock.now();
  const all = picker.scores(call.policy);
  const shown = all.length <= mostCandidates ? all : best(all, picked);
  const attempt: AttemptExplanation = {
    attempt: call.attempt,
    atMs: now - call.startedAt,
    timeLeftMs: call.deadline - now,
    candidates: shown.map(({ candidate, score }) => describe(call, candidate, score, now, refused)),
    omitted: all.length - shown.length,
    ...(picked && { picked: picked.instance.instance }),
    why: why(call, picked, refused),
    retryBudget: budget.getState().balance,
  };
  call.explanation?.attempts.push(attempt);
  return attempt;
}

export function noteOutcome(attempt: AttemptExplanation, call: Call, error: unknown, clock: Clock): void {
  attempt.outcome = error === undefined ? "OK" : codeName(error);
  attempt.durationMs = clock.now() - call.startedAt - attempt.atMs;
}

/** Who was picked, and then those of the best scores, in one pass: a large fleet is described no further than it is shown. */
function best(all: readonly Score<Endpoint>[], picked: Endpoint | undefined): readonly Score<Endpoint>[] {
  const rank = ({ candidate, score }: Score<Endpoint>): number =>
    candidate === picked ? Number.NEGATIVE_INFINITY : score;
  const shown: Score<Endpoint>[] = [];
  for (const each of all) {
    const worst = shown[mostCandidates - 1];
    if (worst !== undefined && rank(worst) <= rank(each)) continue;
    const place = shown.findIndex((other) => rank(each) < rank(other));
    shown.splice(place === -1 ? shown.length : place, 0, each);
    shown.length = Math.min(shown.length, mostCandidates);
  }
  return shown;
}

function describe(
  call: Call,
  endpoint: Endpoint,
  score: number,
  now: number,
  refused: ReadonlySet<Endpoint> | undefined,
): CandidateExplanation {
  const { breaker, bulkhead } = endpoint.guard(call.policy);
  const { instance, epoch } = endpoint.instance;
  const passedOver = whyNot(call, endpoint, refused);
  const places = bulkhead?.getState();
  return {
    instance,
    epoch,
    score,
    ...(passedOver && { passedOver }),
    inFlight: endpoint.load.inFlight,
    latencyMs: endpoint.load.latency(now),
    breaker: breaker.getState().state,
    ...(places && {
      bulkhead: { running: places.running, queued: places.queued, maxConcurrent: places.maxConcurrent },
    }),
  };
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

function why(
  call: Call,
  picked: Endpoint | undefined,
  refused: ReadonlySet<Endpoint> | undefined,
): AttemptExplanation["why"] {
  if (picked === undefined) return "nothing admits";
  if (whyNot(call, picked, refused) !== undefined) return "none other admits";
  return picked.outlier.getState().state.kind === "probing" ? "trial of an outlier" : "balancer";
}
