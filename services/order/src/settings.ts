import { serviceSettings } from "@weft/service";
import { z } from "zod";

/** The longest time that fits a timer of the database and a reader's mind: 30 days. */
const longestTimeoutMs = 30 * 24 * 60 * 60 * 1000;

export const settings = serviceSettings.extend({
  /** An order that nobody paid for so long is cancelled, in milliseconds. */
  PAYMENT_TIMEOUT_MS: z.coerce
    .number()
    .int()
    .min(1)
    .max(longestTimeoutMs)
    .default(15 * 60 * 1000),
});
