import { InvalidRedisUrlError, parseRedisUrl } from "@weft/registry/redis";
import { z } from "zod";

/** A server's URL, or several separated by commas: the nodes of a cluster. */
export const natsUrl = z
  .string()
  .refine(
    (servers) =>
      servers.split(",").every((server) => URL.canParse(server) && /^(nats|tls):$/.test(new URL(server).protocol)),
    { error: "expected nats://host:4222 or tls://host:4222, several separated by commas" },
  );

/** A Redis server's URL, or that of the Sentinels that know its master. */
export const redisUrl = z.string().superRefine((url, context) => {
  try {
    parseRedisUrl(url);
  } catch (error) {
    if (!(error instanceof InvalidRedisUrlError)) throw error;
    context.addIssue({ code: "custom", message: error.message });
  }
});
