export { type IDefaultPolicyContext, type IPolicy, wrap } from "cockatiel";
export {
  type Breaker,
  type BreakerCounts,
  type BreakerOptions,
  type BreakerOutcome,
  type BreakerPermit,
  type BreakerState,
  type BreakerStateName,
  createBreaker,
} from "./breaker.ts";
export { type Bulkhead, type BulkheadOptions, type BulkheadState, createBulkhead } from "./bulkhead.ts";
export {
  type ConcurrencyLimit,
  type ConcurrencyLimitOptions,
  type ConcurrencyLimitState,
  createConcurrencyLimit,
  type LimitOutcome,
  type MethodLimit,
} from "./concurrency-limit.ts";
export {
  type ConcurrencyLimitPolicy,
  defaultConcurrencyLimitPolicy,
  type LoopGuardPolicy,
} from "./concurrency-limit-policy.ts";
export {
  BreakerOpenError,
  BulkheadRejectedError,
  isBreakerOpen,
  isBulkheadRejected,
  isLocalRejection,
} from "./errors.ts";
export {
  InvalidPoliciesError,
  isInvalidPolicies,
  type LivePolicies,
  livePolicies,
} from "./live-policies.ts";
export type {
  BalancerPolicy,
  BreakerPolicy,
  BreakerTrip,
  BulkheadPolicy,
  CodeName,
  Criticality,
  HedgePolicy,
  MethodPolicy,
  RetryPolicy,
  ServicePolicies,
} from "./method-policy.ts";
export type {
  EjectionCause,
  OutlierDetector,
  OutlierDetectorState,
  OutlierEndpoint,
  OutlierEndpointState,
  OutlierEvent,
  OutlierOptions,
  OutlierOutcome,
  OutlierState,
} from "./outlier.ts";
export { createOutlierDetector } from "./outlier-detector.ts";
export {
  defaultOutlierPolicy,
  type FailurePercentagePolicy,
  type OutlierPolicy,
  type SuccessRatePolicy,
} from "./outlier-policy.ts";
export {
  createRetry,
  type GiveUpEvent,
  type GiveUpReason,
  type Retry,
  type RetryEvent,
  type RetryOptions,
  type RetryState,
} from "./retry.ts";
export { createRetryBudget, type RetryBudget, type RetryBudgetOptions, type RetryBudgetState } from "./retry-budget.ts";
