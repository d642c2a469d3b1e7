import { createMesh, type Mesh } from "@weft/service";

/** A mesh whose every service is one instance at that address. */
export function meshTo({ host, port }: { readonly host: string; readonly port: number }): Mesh {
  return createMesh({
    service: "test",
    registry: {
      watch(service, onChange) {
        onChange([{ service, instance: "only", host, port, metadata: {}, epoch: 1, state: "UP" }]);
        return { ready: Promise.resolve(), close() {} };
      },
    },
  });
}
