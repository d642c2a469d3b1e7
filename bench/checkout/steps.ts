import type { CollectedSpan } from "@weft/testkit";
import { quantile } from "../report.ts";

/** What all spans of one name and service took, over the traces of many orders. Times are milliseconds. */
export interface Step {
  readonly service: string;
  readonly step: string;
  /** How often it happens for an order. */
  readonly calls: number;
  /** Its own time: while none of its children ran. */
  readonly mean_ms: number;
  readonly p50_ms: number;
  readonly p99_ms: number;
  /** Own time for an order, all its calls together. */
  readonly total_ms: number;
}

/** What an order's trace begins and ends with, and how often it is there. */
const outermostSpans: ReadonlyMap<string, number> = new Map([
  ["gateway shop.order.v1.OrderService/CreateOrder", 2],
  ["notification SMTP send", 3],
  ["order process shop.inventory.v1.StockCommitted", 1],
  ["payment process shop.order.v1.OrderStatusChanged", 1],
]);

/** Whether all spans of the traces have arrived: processes export at their own pace, and a child can be there before its parent. */
export function areWhole(spans: readonly CollectedSpan[], traceIds: readonly string[]): boolean {
  const byTrace = Map.groupBy(spans, ({ traceId }) => traceId);
  return traceIds.every((traceId) => {
    const trace = byTrace.get(traceId) ?? [];
    const ids = new Set(trace.map(({ spanId }) => spanId));
    // The customer's own span is nobody's here.
    const rootless = new Set(trace.map(({ parentSpanId }) => parentSpanId ?? "").filter((id) => !ids.has(id)));
    const counted = (wanted: string) => trace.filter(({ service, name }) => `${service} ${name}` === wanted).length;
    return rootless.size === 1 && [...outermostSpans].every(([wanted, count]) => counted(wanted) >= count);
  });
}

/**
 * The steps of the traces, by what they cost an order, the largest first. A child that began after its parent's end was
 * caused by it and waited: the wait is a step of its own.
 */
export function stepsOf(spans: readonly CollectedSpan[]): readonly Step[] {
  const orders = new Set(spans.map(({ traceId }) => traceId)).size;
  const byId = new Map(spans.map((span) => [span.spanId, span]));
  const children = Map.groupBy(spans, ({ parentSpanId }) => parentSpanId ?? "");
  const times = new Map<string, { service: string; step: string; own: number[] }>();
  const note = ({ service }: CollectedSpan, step: string, nanoseconds: bigint): void => {
    const at = `${service} ${step}`;
    const entry = times.get(at) ?? { service, step, own: [] };
    times.set(at, entry);
    entry.own.push(Number(nanoseconds) / 1e6);
  };
  for (const span of spans) {
    note(span, named(span), ownTime(span, children.get(span.spanId) ?? []));
    const parent = byId.get(span.parentSpanId ?? "");
    if (parent && span.startTime > parent.endTime)
      note(span, `wait for ${named(span)}`, span.startTime - parent.endTime);
  }
  return [...times.values()]
    .map(({ service, step, own }) => {
      const total = own.reduce((sum, ms) => sum + ms, 0);
      return {
        ...{ service, step },
        calls: rounded(own.length / orders, 1),
        mean_ms: rounded(total / own.length, 2),
        p50_ms: quantile(own, 0.5),
        p99_ms: quantile(own, 0.99),
        total_ms: rounded(total / orders, 2),
      };
    })
    .toSorted((a, b) => b.total_ms - a.total_ms);
}

/** The two ends of a call have one name: its caller's is told apart. */
function named({ name, kind }: CollectedSpan): string {
  return kind === "client" && name.includes("/") && !name.includes(" ") ? `call ${name}` : name;
}

/** The span's time without that of its children, which may overlap, and may go on after it. */
function ownTime({ startTime, endTime }: CollectedSpan, children: readonly CollectedSpan[]): bigint {
  let own = endTime - startTime;
  let covered = startTime;
  for (const child of children.toSorted((a, b) => Number(a.startTime - b.startTime))) {
    const from = child.startTime > covered ? child.startTime : covered;
    const to = child.endTime < endTime ? child.endTime : endTime;
    if (to <= from) continue;
    own -= to - from;
    covered = to;
  }
  return own;
}

function rounded(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}
