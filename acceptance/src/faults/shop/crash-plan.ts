import { StockCommitted, StockReleased, StockReserved } from "@shop/contracts/inventory";
import { OrderCreated, OrderStatusChanged } from "@shop/contracts/order";
import { PaymentCompleted, PaymentFailed, PaymentRefunded } from "@shop/contracts/payment";
import { UserCreated } from "@shop/contracts/user";
import type { EventType } from "@weft/events";
import type { FaultPoint } from "@weft/store";

interface Passings {
  readonly publishes: readonly EventType[];
  readonly consumes: readonly EventType[];
}

/** Which events pass through which service. */
const services: Readonly<Record<string, Passings>> = {
  user: { publishes: [UserCreated], consumes: [] },
  inventory: {
    publishes: [StockReserved, StockReleased, StockCommitted],
    consumes: [OrderCreated, OrderStatusChanged],
  },
  order: {
    publishes: [OrderCreated, OrderStatusChanged],
    consumes: [PaymentCompleted, PaymentFailed, PaymentRefunded, StockReleased],
  },
  payment: {
    publishes: [PaymentCompleted, PaymentFailed, PaymentRefunded],
    consumes: [OrderCreated, OrderStatusChanged],
  },
  notification: { publishes: [], consumes: [UserCreated, OrderCreated, OrderStatusChanged, PaymentCompleted] },
};

/** Events of few orders, or of few customers: a service that waited for many of them would hardly get on to its other steps. */
const rare: ReadonlySet<string> = new Set(
  [UserCreated, StockReleased, PaymentFailed, PaymentRefunded].map(({ subject }) => subject),
);
/** The last passing of a rare event at which one may crash at first. */
const farthestOfRare = 3;

const whenPublished: readonly FaultPoint[] = ["before-commit", "after-commit", "before-publish", "after-publish"];
const whenConsumed: readonly FaultPoint[] = ["before-effect", "after-effect", "before-ack"];

/** A step of an event's way through a service, by the names that WEFT_CRASH has for it. */
interface Step {
  readonly service: string;
  readonly point: FaultPoint;
  readonly subject: string;
}

/** Where each service is to crash, one step of one event after the other. */
export interface CrashPlan {
  readonly services: readonly string[];
  /** Steps of all services. */
  readonly steps: number;
  /** What the service's next start is told while the plan is on: a step at which it crashed least, and at which passing of it. */
  startEnv(service: string): Readonly<Record<string, string>>;
  /** The service killed itself. False when it was told of no step at its last start. */
  crashed(service: string): boolean;
  /** Steps at which a service crashed, and how often. */
  readonly crashes: ReadonlyMap<string, number>;
  /** Steps at which none has crashed yet. */
  left(): readonly string[];
  /** From now on starts are told where to crash. */
  begin(): void;
  /** From now on they are told nothing. */
  end(): void;
}

export interface CrashPlanOptions {
  /** The last passing of a step at which one may crash. */
  readonly farthest: number;
  /** From 0 up to 1. */
  readonly random: () => number;
}

export function createCrashPlan({ farthest, random }: CrashPlanOptions): CrashPlan {
  const queue = shuffled(Object.entries(services).flatMap(stepsOf), random);
  const told = new Map<string, Step>();
  const crashes = new Map<string, number>();
  let isOn = false;
  const crashesAt = (step: Step): number => crashes.get(nameOf(step)) ?? 0;

  /** Last is who had its turn last. */
  function take(service: string): Step | undefined {
    const least = queue.filter((step) => step.service === service).toSorted((a, b) => crashesAt(a) - crashesAt(b))[0];
    if (least) queue.push(...queue.splice(queue.indexOf(least), 1));
    return least;
  }

  return {
    services: Object.keys(services),
    steps: queue.length,
    crashes,
    startEnv(service) {
      told.delete(service);
      const step = isOn ? take(service) : undefined;
      if (!step) return {};
      told.set(service, step);
      const isFirst = crashesAt(step) === 0;
      const last = isFirst && rare.has(step.subject) ? Math.min(farthest, farthestOfRare) : farthest;
      return { WEFT_CRASH: `${step.point}@${step.subject}:${1 + Math.floor(random() * last)}` };
    },
    crashed(service) {
      const step = told.get(service);
      if (step) crashes.set(nameOf(step), crashesAt(step) + 1);
      return step !== undefined;
    },
    left: () => queue.map(nameOf).filter((name) => !crashes.has(name)),
    begin() {
      isOn = true;
    },
    end() {
      isOn = false;
    },
  };
}

function stepsOf([service, { publishes, consumes }]: [string, Passings]): readonly Step[] {
  const all = (points: readonly FaultPoint[], events: readonly EventType[]): readonly Step[] =>
    points.flatMap((point) => events.map(({ subject }) => ({ service, point, subject })));
  return [...all(whenPublished, publishes), ...all(whenConsumed, consumes)];
}

function nameOf({ service, point, subject }: Step): string {
  return `${service} ${point}@${subject}`;
}

function shuffled<T>(items: readonly T[], random: () => number): T[] {
  return items
    .map((item) => ({ item, at: random() }))
    .toSorted((a, b) => a.at - b.at)
    .map(({ item }) => item);
}
