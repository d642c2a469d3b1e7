import { serviceSettings } from "@weft/service";
import { z } from "zod";

export const settings = serviceSettings.extend({
  /** How long stock is held for an order that doesn't come, in milliseconds. */
  RESERVATION_TTL_MS: z.coerce.number().int().min(100).max(86_400_000).default(60_000),
});
