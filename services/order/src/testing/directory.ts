import type { Mesh } from "@weft/service";
import { createMesh } from "@weft/service";

export interface Address {
  readonly host: string;
  readonly port: number;
}

/** A mesh that finds each service at one address, by the service's full name; a service without one has no instance. */
export function meshOf(caller: string, addresses: ReadonlyMap<string, Address>): Mesh {
  return createMesh({
    service: caller,
    registry: {
      watch(service, onChange) {
        const address = addresses.get(service);
        const instance = { service, instance: "test", metadata: {}, epoch: 1, state: "UP" as const };
        onChange(address ? [{ ...instance, host: address.host, port: address.port }] : []);
        return { ready: Promise.resolve(), close() {} };
      },
    },
  });
}
