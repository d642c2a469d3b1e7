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

const whenPublished: readonly FaultPoint[] = ["before-commit", "after-commit", "before-publish", "after-publish"];
const whenConsumed: readonly FaultPoint[] = ["before-effect", "after-effect", "before-ack"];

/** Where each service is to crash, one step of one event after the other. */
export interface CrashPlan {
  readonly services: readonly string[];
  /** Steps of all services. */
  readonly steps: number;
  /** What the service's next start is told: the next step, and at which passing of it. */
  startEnv(service: string): Readonly<Record<string, string>>;
  /** The service crashed where it was told to. */
  crashed(service: string): void;
  /** Steps at which a service crashed, and how often. */
  readonly crashes: ReadonlyMap<string, number>;
}

export interface CrashPlanOptions {
  /** The last passing of a step at which one may crash. */
  readonly farthest: number;
  /** From 0 up to 1. */
  readonly random: () => number;
}

export function createCrashPlan({ farthest, random }: CrashPlanOptions): CrashPlan {
  const steps = new Map(
    Object.entries(services).map(([name, passings]) => [name, shuffled(stepsOf(passings), random)]),
  );
  const current = new Map<string, string>();
  const crashes = new Map<string, number>();
  return {
    services: [...steps.keys()],
    steps: [...steps.values()].flat().length,
    crashes,
    startEnv(service) {
      const left = steps.get(service);
      const step = left?.shift();
      if (!left || step === undefined) return {};
      // Again when the others had their turn.
      left.push(step);
      current.set(service, `${service} ${step}`);
      return { WEFT_CRASH: `${step}:${1 + Math.floor(random() * farthest)}` };
    },
    crashed(service) {
      const step = current.get(service);
      if (step !== undefined) crashes.set(step, (crashes.get(step) ?? 0) + 1);
    },
  };
}

function stepsOf({ publishes, consumes }: Passings): readonly string[] {
  const all = (points: readonly FaultPoint[], events: readonly EventType[]): readonly string[] =>
    points.flatMap((point) => events.map(({ subject }) => `${point}@${subject}`));
  return [...all(whenPublished, publishes), ...all(whenConsumed, consumes)];
}

function shuffled(steps: readonly string[], random: () => number): string[] {
  return steps
    .map((step) => ({ step, at: random() }))
    .toSorted((a, b) => a.at - b.at)
    .map(({ step }) => step);
}
