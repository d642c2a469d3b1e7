import { startRelay } from "@weft/events/outbox";
import { openProgram } from "./program.ts";

/** Carries the publisher's outbox to the broker. */
const { store, broker, faults } = openProgram("relay");

startRelay({ store, broker, service: "source", leaderIntervalMs: 250, streamCheckMs: 2_000, faults });
