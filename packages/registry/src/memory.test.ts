import { describeRegistry } from "./conformance.ts";
import { createMemoryRegistry } from "./memory.ts";
import type { Registry } from "./registry.ts";

const heartbeatMs = 200;

describeRegistry("the memory registry", async () => {
  const registry = createMemoryRegistry({ heartbeatMs });
  const opened: Registry[] = [registry];
  function connect(): Registry {
    const other = registry.connect();
    opened.push(other);
    return other;
  }
  return {
    heartbeatMs,
    connect,
    async startMortal(registration) {
      await connect().register(registration);
      return { kill: async () => registry.silence(registration.service, registration.instance) };
    },
    async close() {
      for (const one of opened) await one.close();
    },
  };
});
