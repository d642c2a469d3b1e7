import { runProcess, startServer } from "@weft/service";
import { createForwarder, forwardedServices } from "./forward/index.ts";
import { startEdge } from "./http/edge.ts";
import { publicServices } from "./public-services.ts";
import { settings } from "./settings.ts";

await runProcess({
  name: "gateway",
  settings,
  async start({ settings, mesh, logger, serves, onClose }) {
    const forwarder = createForwarder({
      mesh,
      services: publicServices,
      onHidden: (method, error) => logger.warn({ error, method: method.name }, "a call failed inside"),
    });
    const grpc = await startServer({
      services: forwardedServices(publicServices, forwarder),
      host: settings.HOST,
      port: settings.GRPC_PORT,
      clients: "edge",
      ...(settings.WEFT_SHEDDING === "on" && { shedding: {} }),
      logger,
    });
    serves(grpc);
    const edge = await startEdge({
      services: publicServices.map(({ service }) => service),
      forwarder,
      host: settings.HOST,
      port: settings.HTTP_PORT,
      corsOrigins: settings.CORS_ORIGINS.split(",").map((origin) => origin.trim()),
      onError: (error) => logger.error({ error }, "a request failed"),
    });
    onClose("ports", async () => {
      await Promise.all([edge.close(settings.WEFT_DRAIN_MS), grpc.close(settings.WEFT_DRAIN_MS)]);
    });
    await grpc.announce();
    return { http: `${settings.HOST}:${edge.port}`, grpc: `${settings.HOST}:${grpc.port}` };
  },
});
