import { Health } from "@weft/contracts";
import { listen } from "@weft/rpc";

/** A server whose calls never end, for tests that kill it. Prints its port. */
const listener = await listen({
  host: "127.0.0.1",
  port: 0,
  routes: (router) =>
    router.service(Health, {
      check: () => {
        process.stdout.write("called\n");
        return new Promise(() => {});
      },
    }),
});
process.stdout.write(`port ${listener.port}\n`);
