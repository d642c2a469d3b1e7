import type { Interceptor } from "@connectrpc/connect";
import { createMesh } from "@weft/client";
import type { Instance } from "@weft/registry";
import { platformSettings, runProcess } from "@weft/service";
import {
  BackService,
  createBackClient,
  createFrontClient,
  createMiddleClient,
} from "../../../../gen/weft/acceptance/v1/index.ts";
import { machineNow } from "../machine-clock.ts";
import { runLoad } from "./load.ts";
import type { Attempt, CallerOptions, CallerOrder, FromProgram, Watched } from "./orders.ts";

// A process that only calls. It obeys orders that come over IPC.

const { notesAttempts } = JSON.parse(process.argv[2] ?? "{}") as CallerOptions;
const attempts: { -readonly [K in keyof Attempt]: Attempt[K] }[] = [];
const tell = (message: FromProgram): void => void process.send?.(message);

function noting({ instance }: Instance): Interceptor[] {
  return [
    (next) => async (request) => {
      // The mesh asks of itself whether somebody is there: no call of ours.
      if (!request.service.typeName.startsWith("weft.acceptance.")) return await next(request);
      const method = request.method.localName;
      const attempt: (typeof attempts)[0] = { method, instance, startedAt: machineNow(), endedAt: undefined };
      attempts.push(attempt);
      try {
        return await next(request);
      } finally {
        attempt.endedAt = machineNow();
      }
    },
  ];
}

await runProcess({
  name: "caller",
  settings: platformSettings,
  async start({ name, instance, registry, onClose, mesh: ownMesh }) {
    const mesh = notesAttempts ? createMesh({ service: name, registry, interceptors: noting }) : ownMesh;
    if (mesh !== ownMesh) onClose("noting mesh", () => mesh.close());
    let retries = 0;
    let listed = 0;
    mesh.onEvent(({ kind }) => {
      if (kind === "retry") retries += 1;
    });
    const [back, middle, front] = [createBackClient(mesh), createMiddleClient(mesh), createFrontClient(mesh)];

    async function obey(order: CallerOrder): Promise<unknown> {
      switch (order.kind) {
        case "load": {
          const before = retries;
          const { calls, errors } = await runLoad(order.load, {
            read: (call, options) => back.read({ call }, options),
            write: (call, options) => back.write({ call }, options),
            relay: (call, options) => middle.relay({ call }, options),
            relayTwice: (call, options) => front.relay({ call }, options),
          });
          return { calls, errors, retries: retries - before };
        }
        case "attempts":
          return attempts;
        case "list":
          return (await registry.list(BackService.typeName)).map((each) => each.instance);
        case "watch":
          registry.watch(order.service, (instances) => {
            listed = instances.length;
          });
          return undefined;
        case "watched": {
          const watched: Watched = { listed, residentMiB: process.memoryUsage.rss() / 2 ** 20 };
          return watched;
        }
      }
    }

    process.on("message", (order: CallerOrder) => {
      void obey(order).then(
        (value) => tell({ kind: "reply", request: order.request, value }),
        (error: unknown) => tell({ kind: "failed", request: order.request, why: String(error) }),
      );
    });
    // The channel is what keeps a process running that neither listens nor has anything to do.
    process.channel?.ref();
    tell({ kind: "ready", instance, address: undefined });
    return {};
  },
});
