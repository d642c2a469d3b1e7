import type { Registration } from "../../registry.ts";
import { createRedisRegistry } from "../redis-registry.ts";

// A process that registers one instance and stays until it is killed. Says "registered" with the epoch. The parent may
// send {blockMs}: the event loop then stands still for so long.

export interface MemberOptions {
  readonly url: string;
  readonly heartbeatMs: number;
  readonly blockedMs: number;
  readonly registration: Registration;
}

const { registration, ...options } = JSON.parse(process.argv[2] ?? "{}") as MemberOptions;
const registry = createRedisRegistry(options);
const lease = await registry.register(registration);
process.on("message", ({ blockMs }: { readonly blockMs: number }) => {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, blockMs);
  process.send?.({ unblocked: true });
});
process.send?.({ registered: lease.epoch });
