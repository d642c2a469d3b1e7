import { createMesh, type Mesh } from "@weft/client";

/** Where a server listens. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

/**
 * A mesh without a registry: every service is one instance at the address, or at its own address, by its full name; a
 * service that the map lacks has no instance. Clients of it have their contracts' policies. The caller closes it.
 */
export function meshTo(where: Address | ReadonlyMap<string, Address>, caller = "test"): Mesh {
  const addressOf = (service: string): Address | undefined => ("host" in where ? where : where.get(service));
  return createMesh({
    service: caller,
    registry: {
      watch(service, onChange) {
        const address = addressOf(service);
        const instance = { service, instance: "only", metadata: {}, epoch: 1, state: "UP" as const };
        onChange(address ? [{ ...instance, host: address.host, port: address.port }] : []);
        return { ready: Promise.resolve(), close() {} };
      },
    },
  });
}
