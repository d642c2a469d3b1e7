import { duplicateStorm } from "./duplicate-storm.ts";
import { eventsKill } from "./events-kill.ts";
import { killServices } from "./kill-services.ts";
import type { Row } from "./runner/row.ts";

/** In the order in which they run. */
export const rows: readonly Row[] = [eventsKill, duplicateStorm, killServices];
