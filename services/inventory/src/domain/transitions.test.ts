import { describe, expect, it } from "vitest";
import {
  type Reservation,
  ReservationClosedError,
  ReservationDiffersError,
  type ReservationState,
} from "./reservation.ts";
import { cancel, commit, expire, fulfil, pin, release, reserve, type Transition } from "./transitions.ts";

const orderId = "11111111-1111-4111-8111-111111111111";
const items = [
  { productId: "beans", quantity: 2 },
  { productId: "kettle", quantity: 1 },
];
const now = new Date("2026-01-01T12:00:00Z");
const later = new Date("2026-01-01T12:01:00Z");
const ttlMs = 60_000;

const held = { kind: "held" } as const;
const pinned = { kind: "pinned" } as const;
const committed = { kind: "committed" } as const;
const expired = { kind: "expired" } as const;
const requested = { kind: "released", cause: "requested" } as const;
const unfilled = { kind: "released", cause: "expired" } as const;
const cancelled = { kind: "released", cause: "orderCancelled" } as const;

describe("the life of a reservation", () => {
  // From each state, what a step makes of it, of the stock, and what it tells; "refused" where it throws.
  const steps: Record<string, [from: ReservationState | undefined, to: ReservationState | "refused", ...string[]][]> = {
    reserve: [
      [undefined, held, "hold", "reserved"],
      [held, held],
      [pinned, pinned],
      [committed, committed],
      [expired, held, "hold", "reserved"],
      [requested, "refused"],
      [unfilled, "refused"],
      [cancelled, "refused"],
    ],
    expire: [
      [held, expired, "free"],
      [pinned, pinned],
      [committed, committed],
      [expired, expired],
      [requested, requested],
    ],
    pin: [
      [undefined, pinned, "hold", "reserved"],
      [held, pinned],
      [pinned, pinned],
      [committed, committed],
      [expired, pinned, "hold", "reserved"],
      [requested, requested, "released"],
      [unfilled, unfilled],
      [cancelled, cancelled],
    ],
    commit: [
      [held, committed, "take", "committed"],
      [pinned, committed, "take", "committed"],
      [committed, committed],
      [expired, "refused"],
      [requested, "refused"],
    ],
    fulfil: [
      [undefined, unfilled, "released"],
      [held, committed, "take", "committed"],
      [pinned, committed, "take", "committed"],
      [committed, committed],
      [expired, committed, "sell", "committed"],
      [requested, requested],
      [unfilled, unfilled],
      [cancelled, cancelled],
    ],
    release: [
      [held, requested, "free", "released"],
      [pinned, requested, "free", "released"],
      [committed, "refused"],
      [expired, requested, "released"],
      [requested, requested],
      [cancelled, cancelled],
    ],
    cancel: [
      [undefined, cancelled],
      [held, cancelled, "free", "released"],
      [pinned, cancelled, "free", "released"],
      [committed, cancelled, "putBack", "released"],
      [expired, cancelled],
      [requested, requested],
      [unfilled, unfilled],
      [cancelled, cancelled],
    ],
  };

  for (const [step, cases] of Object.entries(steps)) {
    for (const [from, to, ...effects] of cases) {
      const outcome =
        to === "refused" ? "is refused" : `becomes ${name(to)}${effects.length ? `: ${effects.join(", ")}` : ""}`;
      it(`${step}: ${from ? name(from) : "none"} ${outcome}`, () => {
        const take = () => run(step, from && reservation(from));
        if (to === "refused") return expect(take).toThrow(ReservationClosedError);
        const { reservation: after, move, news } = take();
        expect(after.state).toEqual(to);
        expect([move, news?.kind].filter((effect) => effect !== undefined)).toEqual(effects);
      });
    }
  }

  it("keeps the very same reservation where nothing changes, so that nothing is written", () => {
    const current = reservation(pinned);
    expect(pin(current, { orderId, items }, now).reservation).toBe(current);
    expect(reserve(current, { orderId, items }, now, ttlMs).reservation).toBe(current);
    expect(expire(current, later).reservation).toBe(current);
  });
});

describe("reserve", () => {
  it("lets a reservation expire after its time", () => {
    expect(reserve(undefined, { orderId, items }, now, ttlMs).reservation.expiresAt).toEqual(later);
  });

  it("takes the same items in another order for a repeat", () => {
    const current = reservation(held);
    expect(reserve(current, { orderId, items: items.toReversed() }, now, ttlMs).reservation).toBe(current);
  });

  it("refuses other items for the same order, whatever became of the first", () => {
    for (const state of [held, pinned, committed, expired]) {
      const wanted = { orderId, items: [{ productId: "beans", quantity: 3 }] };
      expect(() => reserve(reservation(state), wanted, now, ttlMs)).toThrow(ReservationDiffersError);
    }
  });

  it("gives a repeat new time when the reservation's has passed and nobody swept it", () => {
    const { reservation: after, move } = reserve(reservation(held), { orderId, items }, later, ttlMs);
    expect(after.expiresAt).toEqual(new Date(later.getTime() + ttlMs));
    expect(move).toBeUndefined();
  });
});

describe("expire", () => {
  it("leaves a held one whose time hasn't come", () => {
    const current = reservation(held);
    expect(expire(current, now)).toEqual({ reservation: current });
  });
});

describe("an order that comes after its stock has gone", () => {
  it("is told that it can't be filled, for good", () => {
    for (const current of [reservation(expired), undefined]) {
      const { otherwise } = pin(current, { orderId, items }, now);
      expect(otherwise?.reservation.state).toEqual(unfilled);
      expect(otherwise?.reservation.items).toEqual(items);
      expect(otherwise?.news).toEqual(unfilled);
      expect(otherwise?.move).toBeUndefined();
    }
    expect(fulfil(reservation(expired), orderId, now).otherwise?.news).toEqual(unfilled);
  });
});

function run(step: string, current: Reservation | undefined): Transition {
  switch (step) {
    case "reserve":
      return reserve(current, { orderId, items }, now, ttlMs);
    case "pin":
      return pin(current, { orderId, items }, now);
    case "fulfil":
      return fulfil(current, orderId, now);
    case "cancel":
      return cancel(current, orderId, now);
  }
  if (!current) throw new Error(`${step} needs a reservation`);
  if (step === "expire") return expire(current, later);
  return step === "commit" ? commit(current) : release(current);
}

function reservation(state: ReservationState): Reservation {
  return { orderId, items, state, expiresAt: later };
}

function name(state: ReservationState): string {
  return state.kind === "released" ? `released (${state.cause})` : state.kind;
}
