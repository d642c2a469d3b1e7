import type { ConnectRouter, ServiceImpl } from "@connectrpc/connect";
import { Code, ConnectError } from "@connectrpc/connect";
import { Health, ServingStatus } from "@weft/contracts";
import { type Layer, layered } from "./layer.ts";
import { openMethod } from "./serve.ts";

/** grpc.health.v1, for the server as a whole ("") and each of its services. */
export interface HealthService {
  set(status: "SERVING" | "NOT_SERVING"): void;
  register(router: ConnectRouter, layers: readonly Layer[]): void;
}

export function createHealth(services: readonly string[]): HealthService {
  const known = new Set(["", ...services]);
  let status: ServingStatus = ServingStatus.NOT_SERVING;
  let changed = Promise.withResolvers<void>();

  return {
    set(next) {
      status = ServingStatus[next];
      changed.resolve();
      changed = Promise.withResolvers<void>();
    },
    register(router, layers) {
      const implementation: Partial<ServiceImpl<typeof Health>> = {
        check({ service }) {
          if (!known.has(service)) throw new ConnectError(`this server has no service ${service}`, Code.NotFound);
          return { status };
        },
        async *watch({ service }, { signal }) {
          const aborted = new Promise<void>((resolve) =>
            signal.addEventListener("abort", () => resolve(), { once: true }),
          );
          // Unlike check, an unknown service is an answer: it may come later.
          let told: ServingStatus | undefined;
          while (!signal.aborted) {
            const next = changed.promise;
            const now = known.has(service) ? status : ServingStatus.SERVICE_UNKNOWN;
            if (now !== told) yield { status: now };
            told = now;
            await Promise.race([next, aborted]);
          }
        },
      };
      router.service(Health, layered(Health, implementation, layers, openMethod));
    },
  };
}
