/** UP takes calls; DRAINING finishes those it has; DOWN is registered, but not to be called. */
export type InstanceState = "UP" | "DRAINING" | "DOWN";

/** Free facts about an instance; together at most 4 KiB as JSON. `weight` is its share of calls relative to its peers. */
export type Metadata = {
  readonly version?: string;
  readonly zone?: string;
  readonly weight?: number;
} & Readonly<Record<string, string | number | undefined>>;

/** What an instance says of itself when it arrives. */
export interface Registration {
  /** The proto full name, such as `shop.user.v1.UserService`. */
  readonly service: string;
  /** Unique within the service. An instance that registers again under its id replaces its former self. */
  readonly instance: string;
  /** An address that others can connect to: never a wildcard or link-local one. */
  readonly host: string;
  readonly port: number;
  readonly metadata: Metadata;
}

/** One place where a service can be called. Its identity is instance + epoch: a restart is somebody else. */
export interface Instance extends Registration {
  /** Grows with every registration of the same instance id; an older one is refused from then on. */
  readonly epoch: number;
  /** What the instance said, or DOWN once it has missed two heartbeats; after three it is gone. */
  readonly state: InstanceState;
  /** As of the last time that this entry was read: a change of load alone tells no watcher, and a watcher reads what changed. */
  readonly load?: Load;
}

export interface Load {
  /** How late timers ran on the main thread, milliseconds. */
  readonly eventLoopDelayMs: number;
  /** Calls being served. */
  readonly inFlight: number;
}

/** The right to be found. Heartbeats by itself until released. */
export interface Lease {
  readonly epoch: number;
  /** Aborts, with a LeaseLostError as its reason, when a newer registration took the instance's id. */
  readonly lost: AbortSignal;
  /** Resolves once the registry has it. Rejects with LeaseLostError, or RegistryUnavailableError (the change is then applied later). */
  update(change: { readonly state?: InstanceState }): Promise<void>;
  /** Resolves once no new list contains the instance, or when the registry can't be reached (the lease then expires). Idempotent. */
  release(): Promise<void>;
}

/** Who is where. Every implementation passes the suite in `@weft/registry/conformance`. */
export interface Registry {
  /**
   * Makes the instance findable, state UP. Rejects at once with InvalidRegistrationError, or with RegistrationDeniedError where this
   * process may not register the service or the service is full; with RegistryUnavailableError when the registry stays
   * unreachable for a bounded time: a service may start a little before its registry.
   */
  register(registration: Registration): Promise<Lease>;
  /** All instances of a service in any state, sorted by instance id. Rejects with RegistryUnavailableError. */
  list(service: string): Promise<readonly Instance[]>;
  /** Names of the services that have instances, sorted. Rejects with RegistryUnavailableError. */
  services(): Promise<readonly string[]>;
  /**
   * Calls `onChange` with the whole list (as `list` gives it): once at first, then after every change. The last known list stands
   * while the registry can't be reached; afterwards, and where more than half of it go at once without withdrawing, those that are
   * missing are kept for another removal interval (3 heartbeats).
   */
  watch(service: string, onChange: (instances: readonly Instance[]) => void, options?: WatchOptions): Watch;
  /** Releases the leases and ends the watches that this registry gave out. */
  close(): Promise<void>;
}

export interface WatchOptions {
  /**
   * Whether an instance that missed its heartbeats, or is gone without withdrawing, answers its callers all the same. It is kept as it
   * was for as long as this says so, and nobody else is listed at its address. Asked about once a heartbeat while there is such an
   * instance; the memory registry doesn't ask.
   */
  stillAnswers?(instance: Instance): boolean;
}

export interface Watch {
  /** Resolves after the first list was delivered; rejects when the watch is closed before. */
  readonly ready: Promise<void>;
  close(): void;
}
