import { Code, ConnectError, type Interceptor } from "@connectrpc/connect";
import { currentCall } from "@weft/context";
import { type Bulkhead, createBulkhead, isBulkheadRejected } from "@weft/policy";
import { untilComplete } from "@weft/rpc";
import { meter } from "@weft/telemetry";
import { scopeOf } from "../request.ts";
import type { ServedMethod } from "../serve.ts";

/** One bulkhead a group, shared by the methods that name it. */
export function createBulkheads(methods: Iterable<ServedMethod>): ReadonlyMap<string, Bulkhead> {
  const groups = new Map<string, Bulkhead>();
  for (const { policy } of methods) {
    if (!policy.bulkhead) continue;
    const { group, maxConcurrent, maxQueue } = policy.bulkhead;
    const known = groups.get(group)?.getState();
    if (!known) groups.set(group, createBulkhead(policy.bulkhead));
    else if (known.maxConcurrent !== maxConcurrent || known.maxQueue !== maxQueue) {
      throw new Error(`Two contracts of this server give the bulkhead group ${group} different sizes: rename one.`);
    }
  }
  return groups;
}

/** Keeps a group's calls within its size: the surplus waits in the group's queue, and what finds that full is told RESOURCE_EXHAUSTED. */
export function bulkheadLayer(
  methods: ReadonlyMap<string, ServedMethod>,
  groups: ReadonlyMap<string, Bulkhead>,
): Interceptor {
  const rejections = meter("weft.server").createCounter("weft.server.bulkhead.rejected");
  return (next) => (request) => {
    const group = methods.get(scopeOf(request))?.policy.bulkhead?.group;
    const bulkhead = group === undefined ? undefined : groups.get(group);
    if (!bulkhead) return next(request);
    const signal = currentCall()?.signal ?? request.signal;
    return untilComplete(
      (run) => bulkhead.execute(run, signal),
      () => next(request),
      signal,
    ).catch((error: unknown) => {
      if (!isBulkheadRejected(error)) throw error;
      rejections.add(1, { group: group as string });
      throw new ConnectError(`too many calls of the group ${group} run here: ${error.message}`, Code.ResourceExhausted);
    });
  };
}
