import { z } from "zod";

/** What the payment provider reads from its environment. */
export const settings = z.object({
  /** The address to listen on. */
  HOST: z.string().min(1).default("127.0.0.1"),
  /** 0 takes a free port. */
  HTTP_PORT: z.coerce.number().int().min(0).max(65_535).default(0),
  /** Where the journal lies. */
  DATA_DIR: z.string().min(1).default(".weft/payments"),
  /** How long a `tok_slow…` takes, in milliseconds. */
  SLOW_MS: z.coerce.number().int().min(0).default(3_000),
});
