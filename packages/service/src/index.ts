export { createMesh, type Mesh } from "@weft/client";
export {
  errorsAsCodes,
  invalidField,
  type ServedService,
  type Server,
  serve,
  startServer,
  storeResponse,
} from "@weft/server";
export type { DurableWork } from "./durable-work.ts";
export {
  type CreationCursor,
  type CursorFormat,
  creationPageTokens,
  type PageTokens,
  pageTokens,
} from "./page-token.ts";
export { type Platform, type ProcessOptions, runProcess } from "./process.ts";
export { runService, type ServiceContext, type ServiceOptions, type ServiceParts } from "./run-service.ts";
export {
  type Environment,
  type PlatformSettings,
  platformSettings,
  readSettings,
  type ServiceSettings,
  SettingsError,
  serviceSettings,
} from "./settings.ts";
