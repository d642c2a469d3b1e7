import { AsyncLocalStorage } from "node:async_hooks";

/**
 * Runs what outlives the call that begins it, such as a connection, or is for many of them. What the program keeps for that call (its
 * async context) is then neither seen by others, nor held for longer.
 */
export const outsideOfCalls = AsyncLocalStorage.snapshot();
