import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  ParentBasedSampler,
  type Sampler,
  SamplingDecision,
} from "@opentelemetry/sdk-trace";
import type { Sampling } from "./sampling.ts";

/** What decides on spans, and what of it is known before a span is made. */
export interface SamplerChoice {
  readonly sampler: Sampler;
  readonly sampling: Sampling;
}

/** Nothing is exported, and so nothing recorded. */
export const noSampler: SamplerChoice = { sampler: new AlwaysOffSampler(), sampling: { kind: "none" } };

/** The sampler that OTEL_TRACES_SAMPLER and OTEL_TRACES_SAMPLER_ARG name; `parentbased_always_on` when they are silent. */
export function samplerFromEnvironment(env: Readonly<Record<string, string | undefined>>): SamplerChoice {
  const name = env.OTEL_TRACES_SAMPLER ?? "parentbased_always_on";
  switch (name) {
    case "always_on":
      return { sampler: new AlwaysOnSampler(), sampling: { kind: "ask" } };
    case "always_off":
      return { sampler: new AlwaysOffSampler(), sampling: { kind: "ask" } };
    case "traceidratio":
      return { sampler: byRatio(ratio(env)), sampling: { kind: "ask" } };
    case "parentbased_always_on":
      return parentBased(byRatio(1));
    case "parentbased_always_off":
      return parentBased(byRatio(0));
    case "parentbased_traceidratio":
      return parentBased(byRatio(ratio(env)));
    default:
      throw new Error(`OTEL_TRACES_SAMPLER=${name} is not one of OpenTelemetry's samplers.`);
  }
}

/** What decides on a root, by nothing but its id. */
interface RootSampler extends Sampler {
  isSampled(traceId: string): boolean;
}

function parentBased(root: RootSampler): SamplerChoice {
  return {
    sampler: new ParentBasedSampler({ root }),
    sampling: { kind: "parent-based", isSampledRoot: (traceId) => root.isSampled(traceId) },
  };
}

/**
 * The given share of all traces, told by the last digits of their ids, which are random (W3C Trace Context, level 2). The SDK's own
 * sampler looks at all digits, and before that at whether they are ones.
 */
function byRatio(ratio: number): RootSampler {
  const bound = ratio * 2 ** 32;
  const isSampled = (traceId: string): boolean => Number.parseInt(traceId.slice(-8), 16) < bound;
  return {
    isSampled,
    shouldSample: (_context, traceId) => ({
      decision: isSampled(traceId) ? SamplingDecision.RECORD_AND_SAMPLED : SamplingDecision.NOT_RECORD,
    }),
    toString: () => `TraceIdRatioBased{${ratio}}`,
  };
}

function ratio(env: Readonly<Record<string, string | undefined>>): number {
  const value = Number(env.OTEL_TRACES_SAMPLER_ARG ?? "1");
  if (value >= 0 && value <= 1) return value;
  throw new Error(`OTEL_TRACES_SAMPLER_ARG=${env.OTEL_TRACES_SAMPLER_ARG} must be a number from 0 to 1, such as 0.01.`);
}
