/** Names under which a call's context travels, as RPC metadata and as event headers alike. */
export const headers = {
  correlationId: "x-correlation-id",
  caller: "x-weft-caller",
  /** draft-ietf-httpapi-idempotency-key-header */
  idempotencyKey: "idempotency-key",
  /** On an UNAVAILABLE that only passes on another service's: that one's name. It speaks against nobody else. */
  unavailablePeer: "x-weft-unavailable-peer",
  /** On a RESOURCE_EXHAUSTED of a server that refused the call before it began: why. Another attempt elsewhere is safe for any method. */
  shed: "x-weft-shed",
  /** "true" on the stored answer of a command that ran before. */
  idempotentReplay: "idempotent-replayed",
} as const;
