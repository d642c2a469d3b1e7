import type { RetryBudget } from "@weft/policy";
import type { EndpointState } from "./endpoint.ts";

/** What the policies of all calls to one service are doing now. */
export interface ChannelState {
  readonly service: string;
  readonly endpoints: readonly EndpointState[];
  readonly retryBudget: ReturnType<RetryBudget["getState"]>;
}
