export { type IDefaultPolicyContext, type IPolicy, wrap } from "cockatiel";
export {
  type Breaker,
  type BreakerCounts,
  type BreakerOptions,
  type BreakerState,
  type BreakerStateName,
  createBreaker,
} from "./breaker.ts";
export { type Bulkhead, type BulkheadOptions, type BulkheadState, createBulkhead } from "./bulkhead.ts";
export {
  BreakerOpenError,
  BulkheadRejectedError,
  isBreakerOpen,
  isBulkheadRejected,
  isLocalRejection,
} from "./errors.ts";
export type {
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
