import { serviceSettings } from "@weft/service";

export const settings = serviceSettings;
