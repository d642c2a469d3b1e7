import { duplicateStorm } from "./duplicate-storm.ts";
import { eventsKill } from "./events-kill.ts";
import { killServices } from "./kill-services.ts";
import { natsDown } from "./nats-down.ts";
import { natsLost } from "./nats-lost.ts";
import { natsNode } from "./nats-node.ts";
import { orderProcess } from "./order-process.ts";
import { poison } from "./poison.ts";
import { postgresKill } from "./postgres-kill.ts";
import { redeliveries } from "./redeliveries.ts";
import type { Row } from "./runner/row.ts";

/** In the order in which they run. */
export const rows: readonly Row[] = [
  eventsKill,
  natsDown,
  natsLost,
  natsNode,
  redeliveries,
  postgresKill,
  poison,
  duplicateStorm,
  orderProcess,
  killServices,
];
