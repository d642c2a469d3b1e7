import { platformSettings } from "@weft/service";
import { z } from "zod";

/** What the gateway reads from its environment. It has a port for each of its faces, and PORT means neither. */
export const settings = platformSettings.extend({
  /** REST, Connect and gRPC-Web. */
  HTTP_PORT: z.coerce.number().int().min(0).max(65_535).default(8_080),
  /** gRPC. */
  GRPC_PORT: z.coerce.number().int().min(0).max(65_535).default(9_090),
  /** Origins whose pages may call, with commas between; "*" means every one. */
  CORS_ORIGINS: z.string().min(1).default("*"),
});
