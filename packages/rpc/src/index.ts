export { type ConnectionLimits, edgeLimits, meshLimits } from "@weft/wire";
export { codeName } from "./code-name.ts";
export { type RpcResponse, untilComplete } from "./completion.ts";
export { type ClientTls, type Connection, type ConnectionOptions, connect, type TransportKind } from "./connection.ts";
export { wasNeverProcessed } from "./errors.ts";
export { defaultMaxMessageBytes } from "./limits.ts";
export { type Listener, type ListenerOptions, listen } from "./listener.ts";
export { orAborted } from "./or-aborted.ts";
export { abortable, inCurrentContext, type MessageHooks, mapMessages } from "./stream.ts";
