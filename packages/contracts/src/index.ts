export { FieldRulesSchema, field, type Violations, ViolationsSchema } from "./gen/buf/validate/validate_pb.ts";
export { http } from "./gen/google/api/annotations_pb.ts";
export { type HttpRule, HttpRuleSchema } from "./gen/google/api/http_pb.ts";
export {
  Health,
  HealthCheckRequestSchema,
  type HealthCheckResponse,
  HealthCheckResponse_ServingStatus as ServingStatus,
  HealthCheckResponseSchema,
} from "./gen/health/v1/health_pb.ts";
export { ServerReflection, ServerReflectionRequestSchema } from "./gen/reflection/v1/reflection_pb.ts";
export { ServerReflection as ServerReflectionAlpha } from "./gen/reflection/v1alpha/reflection_pb.ts";
export { type EventOptions, EventOptionsSchema, event } from "./gen/weft/events/v1/events_pb.ts";
export {
  Balancer,
  type Bulkhead,
  type CircuitBreaker,
  Criticality,
  type Hedge,
  type MethodPolicy,
  MethodPolicySchema,
  method,
  type Retry,
  service,
} from "./gen/weft/policy/v1/policy_pb.ts";
