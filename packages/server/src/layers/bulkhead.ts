import { Code, ConnectError } from "@connectrpc/connect";
import { type Clock, headers } from "@weft/context";
import { type Bulkhead, createBulkhead, isBulkheadRejected, type ServicePolicies } from "@weft/policy";
import { deadlinePassed } from "@weft/rpc";
import { meter } from "@weft/telemetry";
import type { Answer, Layer, Next } from "../layer.ts";
import type { ServedCall } from "../served-call.ts";

/** The bulkheads of a server: one a group, shared by the methods that name it. */
export class Bulkheads {
  readonly #groups = new Map<string, Bulkhead>();

  /** Makes those that are new, and gives those that are there the sizes that their policies have now. */
  follow(policies: Iterable<ServicePolicies>): void {
    const all = [...policies];
    const [conflict] = sizeConflicts(all);
    if (conflict !== undefined) throw new Error(`${conflict}: rename one.`);
    const named = new Set<string>();
    for (const { methods } of all) {
      for (const { bulkhead } of Object.values(methods)) {
        if (!bulkhead) continue;
        named.add(bulkhead.group);
        const known = this.#groups.get(bulkhead.group);
        if (known) known.resize(bulkhead);
        else this.#groups.set(bulkhead.group, createBulkhead(bulkhead));
      }
    }
    for (const group of this.#groups.keys()) if (!named.has(group)) this.#groups.delete(group);
  }

  get(group: string): Bulkhead | undefined {
    return this.#groups.get(group);
  }

  get all(): readonly Bulkhead[] {
    return [...this.#groups.values()];
  }
}

/** Groups that two policies give different sizes, a line each. */
export function sizeConflicts(policies: Iterable<ServicePolicies>): string[] {
  const sizes = new Map<string, string>();
  const conflicts = new Set<string>();
  for (const { methods } of policies) {
    for (const { bulkhead } of Object.values(methods)) {
      if (!bulkhead) continue;
      const size = `${bulkhead.maxConcurrent} ${bulkhead.maxQueue}`;
      if ((sizes.get(bulkhead.group) ?? size) !== size)
        conflicts.add(`Two contracts of this server give the bulkhead group ${bulkhead.group} different sizes`);
      sizes.set(bulkhead.group, size);
    }
  }
  return [...conflicts];
}

/** Keeps a group's calls within its size: the surplus waits in the group's queue, and what finds that full is told RESOURCE_EXHAUSTED. */
export function bulkheadLayer(bulkheads: Bulkheads, clock: Clock): Layer {
  const rejections = meter("weft.server").createCounter("weft.server.bulkhead.rejected");
  const inItsPlace = (bulkhead: Bulkhead, call: ServedCall, next: Next): Answer => {
    call.atEnd(bulkhead.leave);
    return next(call);
  };
  return (next) => (call) => {
    const group = call.policy.bulkhead?.group;
    const bulkhead = group === undefined ? undefined : bulkheads.get(group);
    if (bulkhead === undefined) return next(call);
    if (bulkhead.tryEnter()) return inItsPlace(bulkhead, call, next);
    const leftMs = call.deadline === undefined ? undefined : call.deadline - clock.now();
    call.hasWaited = true;
    return bulkhead.enter(call.signal, leftMs).then(
      () => inItsPlace(bulkhead, call, next),
      (error: unknown) => {
        if (!isBulkheadRejected(error)) throw error;
        if (error.reason === "deadline") throw deadlinePassed();
        rejections.add(1, { group: error.group });
        throw new ConnectError(
          `too many calls of the group ${error.group} run here: ${error.message}`,
          Code.ResourceExhausted,
          { [headers.shed]: "bulkhead" },
        );
      },
    );
  };
}
