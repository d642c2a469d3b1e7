import { startRelay } from "@weft/events/outbox";
import { openProgram } from "./program.ts";

/** Carries the publisher's outbox to the broker, in batches that a crash does not always come before the end of. */
const batch = 100;
const { store, broker, faults } = openProgram("relay");

startRelay({ store, broker, service: "source", batch, leaderIntervalMs: 250, streamCheckMs: 2_000, faults });
