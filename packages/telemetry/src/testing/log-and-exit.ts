import { createLogger } from "../index.ts";

/** Logs until it is told to exit, whether or not somebody reads. Says on stderr that it lives. */
const logger = createLogger({ service: "test" });
setInterval(() => logger.info({}, "a line"), 5);
process.stdin.once("data", () => {
  logger.info({}, "the last line");
  process.exit(7);
});
process.stderr.write("up\n");
