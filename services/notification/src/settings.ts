import { serviceSettings } from "@weft/service";
import { z } from "zod";

export const settings = serviceSettings.extend({
  /** The mail server, such as smtp://127.0.0.1:1025; with user and password where it wants them. */
  SMTP_URL: z.url({ protocol: /^smtps?$/ }),
  /** What stands in From, such as "Weft <shop@weft.shop>". */
  MAIL_FROM: z.string().min(3).default("Weft <shop@weft.shop>"),
  /** The right side of every Message-ID. */
  MAIL_DOMAIN: z
    .string()
    .regex(/^[a-z0-9-]+(\.[a-z0-9-]+)*$/i)
    .default("weft.shop"),
});
