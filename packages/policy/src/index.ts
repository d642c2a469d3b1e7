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
