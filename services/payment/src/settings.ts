import { serviceSettings } from "@weft/service";
import { z } from "zod";

export const settings = serviceSettings.extend({
  /** Where the payment provider answers, such as http://127.0.0.1:4010. */
  PAYMENT_PROVIDER_URL: z.url({ protocol: /^https?$/ }),
});
