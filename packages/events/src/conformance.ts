import { describe } from "vitest";
import { describeDelivery } from "./conformance/delivery.ts";
import { describeFailure } from "./conformance/failure.ts";
import { describeOperations } from "./conformance/operations.ts";
import type { BrokerHarness } from "./conformance/world.ts";

/** The suite that every broker passes, together with the real outbox and inbox. Each test sets up a harness of its own. */
export function describeBroker(name: string, setUp: () => Promise<BrokerHarness>): void {
  describe(name, () => {
    describeDelivery(setUp);
    describeFailure(setUp);
    describeOperations(setUp);
  });
}

export type { BrokerHarness };
