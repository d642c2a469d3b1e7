import { duplicateStorm } from "./duplicate-storm.ts";
import { eventsKill } from "./events-kill.ts";
import { killServices } from "./kill-services.ts";
import { allFail } from "./mesh/all-fail.ts";
import { badRegistrations } from "./mesh/bad-registrations.ts";
import { clocksOff } from "./mesh/clocks-off.ts";
import { deadlineHops } from "./mesh/deadline-hops.ts";
import { instanceFails } from "./mesh/instance-fails.ts";
import { instanceKilled } from "./mesh/instance-killed.ts";
import { instanceSlow } from "./mesh/instance-slow.ts";
import { instanceStopped } from "./mesh/instance-stopped.ts";
import { loopBlocked } from "./mesh/loop-blocked.ts";
import { overload } from "./mesh/overload.ts";
import { redisAway } from "./mesh/redis-away.ts";
import { redisFailover } from "./mesh/redis-failover.ts";
import { rollingRestarts } from "./mesh/rolling-restarts.ts";
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
  instanceKilled,
  rollingRestarts,
  instanceStopped,
  instanceSlow,
  instanceFails,
  allFail,
  redisAway,
  redisFailover,
  loopBlocked,
  overload,
  deadlineHops,
  clocksOff,
  badRegistrations,
];
