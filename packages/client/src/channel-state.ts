import type { Retry, RetryBudget } from "@weft/policy";
import type { EndpointState } from "./endpoint.ts";

/** What the policies of all calls to one service are doing now. */
export interface ChannelState {
  readonly service: string;
  readonly endpoints: readonly EndpointState[];
  readonly retryBudget: ReturnType<RetryBudget["getState"]>;
  /** By method, as far as one was called. */
  readonly retries: Readonly<Record<string, ReturnType<Retry["getState"]>>>;
}
