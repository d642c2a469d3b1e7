import { runService } from "../run-service.ts";
import { serviceSettings } from "../settings.ts";

/** The smallest service with a database, to be run as a process. */
await runService({
  name: "library",
  settings: serviceSettings,
  migrations: [{ id: "0001_shelf", sql: "create table shelf (id int)" }],
  setup: () => ({ services: [] }),
});
