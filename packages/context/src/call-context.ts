/** What travels with a call or an event, from the edge to the last hop. The trace travels beside it, in OpenTelemetry's own context. */
export interface CallContext {
  /** Joins the logs of everything that one outside request caused. */
  readonly correlationId: string;
  /** The clock's reading at which the answer is worth nothing any more. */
  readonly deadline: number | undefined;
  /** Fires when the caller cancelled or the deadline passed. */
  readonly signal: AbortSignal | undefined;
  /** The service that called, as it names itself. */
  readonly caller: string | undefined;
  readonly idempotencyKey: string | undefined;
  /** Set while a keyed command runs. */
  readonly command: KeyedCommand | undefined;
  /** What the call's own calls met; shared by all contexts that derive from one call. */
  readonly downstream: Downstream;
}

/** Lets a service say that it is well and only passes on what another one did. */
export interface Downstream {
  /** The service that was unavailable last. */
  unavailable: string | undefined;
  /** Told of each call that is made for this one, when it begins. */
  onCall?: () => void;
}

/** A command whose response is stored under the caller's key, in the transaction of the change itself. */
export interface KeyedCommand {
  /** The method's full name: keys of different methods never meet. */
  readonly scope: string;
  readonly key: string;
  /** The number of this run's claim: only the run that holds the key's latest one may answer. Undefined where nothing claims. */
  readonly claim: bigint | undefined;
  /** Turns the transaction's result into the response's bytes. Set by the RPC layer, used by the store. */
  encode: ((result: unknown) => Uint8Array) | undefined;
  /** Whether the response was written together with the change. */
  stored: boolean;
}
