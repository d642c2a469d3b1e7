import type { Redis } from "ioredis";
import { eventually, uniqueService } from "../../conformance.ts";
import { channelOf, keysOf } from "../keys.ts";
import { asSeen, createListing, type Listing, type Snapshot } from "../listing.ts";
import { encodeFacts } from "../record.ts";
import { beatScript, readScript, releaseScript } from "../scripts.ts";

/** A service that is written and read by the scripts alone. Leases last for a minute, or for as long as is said. */
export function createScriptedService(redis: Redis, mostInstances = 10_000) {
  const service = uniqueService();
  const keys = keysOf(service);
  const kinds: string[] = [];
  return {
    keys,
    kinds,
    async beat(instance: string, { state = "UP", epoch = "", ttlMs = 60_000, most = mostInstances } = {}) {
      const facts = encodeFacts({ service, instance, host: "10.0.0.7", port: 9000, metadata: { zone: "eu-1a" } });
      const args = [instance, epoch, state, facts, "1.5 2", ttlMs, channelOf(service), most];
      return (await beatScript.run(redis, keys, args)) as [string, string?];
    },
    release: (instance: string, epoch: string) => releaseScript.run(redis, keys, [instance, epoch, channelOf(service)]),
    /** What is published of the service from now on. */
    async hints() {
      const subscriber = redis.duplicate();
      const published: string[] = [];
      subscriber.on("message", (_, hint: string) => void published.push(hint));
      await subscriber.subscribe(channelOf(service));
      return {
        async next(): Promise<string> {
          await eventually(() => {
            if (published.length === 0) throw new Error("nothing was published");
          });
          return published.shift() as string;
        },
        close: () => subscriber.disconnect(),
      };
    },
    listing: () => createListing(service, mostInstances),
    /** Reads on; notes of what kind the answer was. */
    async read(listing: Listing, heartbeatMs = 1_000): Promise<Snapshot | undefined> {
      const reply = (await readScript.run(redis, keys, [heartbeatMs, ...listing.known])) as string[];
      kinds.push(reply[2] ?? "nothing");
      return listing.take(reply);
    },
  };
}

/** `["a UP", "b DOWN"]`. */
export function names(snapshot: Snapshot | undefined): readonly string[] | undefined {
  return snapshot && asSeen(snapshot).map(({ instance, state }) => `${instance} ${state}`);
}
