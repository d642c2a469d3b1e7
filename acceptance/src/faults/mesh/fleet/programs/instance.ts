import { platformSettings, runProcess, type ServedService, serve, startServer } from "@weft/service";
import {
  BackService,
  backServicePolicies,
  createBackClient,
  createMiddleClient,
  FrontService,
  frontServicePolicies,
  MiddleService,
  middleServicePolicies,
} from "../../../../gen/weft/acceptance/v1/index.ts";
import type { FromProgram, InstanceOptions, InstanceOrder } from "./orders.ts";
import { seeded } from "./seeded.ts";
import { createWork } from "./work.ts";

// An instance of a service, as `runProcess` makes one. It obeys orders that come over IPC, and notes what it served.

const { service, behaviour, seed } = JSON.parse(process.argv[2] ?? "{}") as InstanceOptions;
const work = createWork(behaviour, seeded(seed));
const tell = (message: FromProgram): void => void process.send?.(message);

process.on("message", (order: InstanceOrder) => {
  switch (order.kind) {
    case "behave":
      work.behaviour = order.behaviour;
      return;
    case "block":
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, order.ms);
      return;
    case "served":
      tell({ kind: "reply", request: order.request, value: work.served });
  }
});

await runProcess({
  name: service,
  settings: platformSettings,
  async start({ instance, settings, logger, registry, mesh, serves, onClose }) {
    const services = {
      back: (): ServedService =>
        serve(BackService, backServicePolicies, {
          async read({ call }, { signal }) {
            await work.serve(call, signal);
            return { instance };
          },
          async write({ call }, { signal }) {
            await work.serve(call, signal);
            return { instance };
          },
        }),
      middle(): ServedService {
        const back = createBackClient(mesh);
        return serve(MiddleService, middleServicePolicies, {
          async relay({ call }, { signal }) {
            await work.serve(call, signal, () => back.read({ call }));
            return { instance };
          },
        });
      },
      front(): ServedService {
        const middle = createMiddleClient(mesh);
        return serve(FrontService, frontServicePolicies, {
          async relay({ call }, { signal }) {
            await work.serve(call, signal, () => middle.relay({ call }));
            return { instance };
          },
        });
      },
    };
    const server = await startServer({
      services: [services[service]()],
      host: settings.HOST,
      port: settings.PORT,
      logger,
      registration: { registry, instance, host: settings.HOST },
      ...(settings.WEFT_SHEDDING === "on" && { shedding: {} }),
    });
    onClose("server", () => server.close(settings.WEFT_DRAIN_MS));
    serves(server);
    await server.announce();
    const address = `${server.host}:${server.port}`;
    tell({ kind: "ready", instance, address });
    return { address };
  },
});
