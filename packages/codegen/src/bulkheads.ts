import type { DescFile } from "@bufbuild/protobuf";
import type { Bulkhead } from "@weft/contracts";
import { declaredPolicies } from "./declared.ts";
import { milliseconds } from "./duration.ts";
import type { Place, Refusal } from "./refusal.ts";
import type { ResolvedBulkhead } from "./resolved.ts";

/** The bulkhead groups of a file: one declaration gives a group's sizes, and any other may name it without them. */
export interface BulkheadGroups {
  readonly groups: ReadonlyMap<string, ResolvedBulkhead>;
  readonly refusals: readonly Refusal[];
}

export function collectBulkheads(file: DescFile): BulkheadGroups {
  const groups = new Map<string, ResolvedBulkhead>();
  const refusals: Refusal[] = [];
  const named: { group: string; place: Place }[] = [];
  for (const { policy, inherited, place } of declaredPolicies(file)) {
    const bulkhead = policy.bulkhead;
    if (bulkhead === undefined) continue;
    const group = bulkhead.group || inherited?.bulkhead?.group;
    if (!group) {
      refusals.push({ place, problem: "its bulkhead has no group", mend: 'Name one, such as group: "user_queries"' });
      continue;
    }
    named.push({ group, place });
    if (!givesSizes(bulkhead)) continue;
    const sized = resolve(group, bulkhead);
    const before = groups.get(group);
    if (before === undefined) groups.set(group, sized);
    else if (!sameSizes(before, sized)) {
      refusals.push({
        place,
        problem: `bulkhead group "${group}" has two sizes: ${sizes(before)} elsewhere in the file, ${sizes(sized)} here`,
        mend: "Give its sizes once and only its name elsewhere, or name another group",
      });
    }
    if (sized.maxConcurrent === 0) {
      refusals.push({
        place,
        problem: `bulkhead group "${group}" has no max_concurrent`,
        mend: "Say how many of its calls run at once, such as max_concurrent: 20",
      });
    }
  }
  for (const { group, place } of named) {
    if (groups.has(group)) continue;
    refusals.push({
      place,
      problem: `nothing in the file gives the sizes of bulkhead group "${group}"`,
      mend: "Add max_concurrent and max_queue here or where the group is named first",
    });
  }
  return { groups, refusals };
}

function givesSizes(bulkhead: Bulkhead): boolean {
  return bulkhead.maxConcurrent !== 0 || bulkhead.maxQueue !== 0 || bulkhead.queueTimeout !== undefined;
}

function resolve(group: string, { maxConcurrent, maxQueue, queueTimeout }: Bulkhead): ResolvedBulkhead {
  return { group, maxConcurrent, maxQueue, queueTimeoutMs: queueTimeout && milliseconds(queueTimeout) };
}

function sameSizes(a: ResolvedBulkhead, b: ResolvedBulkhead): boolean {
  return a.maxConcurrent === b.maxConcurrent && a.maxQueue === b.maxQueue && a.queueTimeoutMs === b.queueTimeoutMs;
}

function sizes({ maxConcurrent, maxQueue, queueTimeoutMs }: ResolvedBulkhead): string {
  const patience = queueTimeoutMs === undefined ? "" : ` for ${queueTimeoutMs} ms`;
  return `${maxConcurrent} at once and ${maxQueue} queued${patience}`;
}
