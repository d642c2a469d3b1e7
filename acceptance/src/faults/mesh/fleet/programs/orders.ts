import type { CodeName } from "@weft/policy";

// What the row and its processes say to each other.

export type ServiceName = "front" | "middle" | "back";

/** How an instance serves its calls from now on. */
export interface Behaviour {
  /** A call takes between so long and half as much again, in milliseconds; default 10. */
  readonly latencyMs?: number;
  /** One call in twenty takes this long instead. */
  readonly longMs?: number;
  /** Every call ends with this code, at once where `latencyMs` is 0. */
  readonly failWith?: "UNAVAILABLE" | "INTERNAL" | "RESOURCE_EXHAUSTED";
  /** Only so many calls are served at once; the others wait in line, however long it grows. */
  readonly workers?: number;
  /** Milliseconds of computing a call, in which the event loop stands still. */
  readonly computeMs?: number;
}

export interface InstanceOptions {
  readonly service: ServiceName;
  readonly behaviour: Behaviour;
  /** For its own random. */
  readonly seed: number;
}

export type InstanceOrder =
  | { readonly kind: "behave"; readonly behaviour: Behaviour }
  /** The event loop stands still for so long. */
  | { readonly kind: "block"; readonly ms: number }
  | { readonly kind: "served"; readonly request: number };

/** A run of a handler, on the machine's clock. */
export interface Served {
  /** The call that it is a hop of. */
  readonly call: string;
  /** What was left of the call's time by this hop's own clock, in milliseconds. */
  readonly leftMs: number | undefined;
  readonly startedAt: number;
  /** Undefined while it runs. */
  readonly endedAt: number | undefined;
}

export interface CallerOptions {
  /** Notes each attempt and where it went. */
  readonly notesAttempts: boolean;
}

export type MethodName = "read" | "write" | "relay" | "relayTwice";

/** Calls at random moments, so many a second on average, whether or not the ones before have an answer. */
export interface Load {
  readonly perSecond: number;
  readonly forMs: number;
  /** What is called; with several, each call takes one of them at random. */
  readonly methods: readonly MethodName[];
  /** Shorter than the contract's. */
  readonly timeoutMs?: number;
  /** For its own random, and for its calls' names. */
  readonly seed: number;
}

export type CallerOrder =
  | { readonly kind: "load"; readonly request: number; readonly load: Load }
  | { readonly kind: "attempts"; readonly request: number }
  /** The instances of the back service that the registry has, by id. */
  | { readonly kind: "list"; readonly request: number }
  /** Watches a service from now on. */
  | { readonly kind: "watch"; readonly request: number; readonly service: string }
  | { readonly kind: "watched"; readonly request: number };

/** What a watcher has come to. */
export interface Watched {
  /** Instances in its last list. */
  readonly listed: number;
  readonly residentMiB: number;
}

export type Outcome = CodeName | "OK";

/** A call as its caller saw it, on the machine's clock. */
export interface Call {
  /** The same on all its hops. */
  readonly id: string;
  readonly method: MethodName;
  readonly startedAt: number;
  readonly tookMs: number;
  readonly outcome: Outcome;
  /** Who answered. */
  readonly instance: string | undefined;
}

/** One try of a call at one instance. */
export interface Attempt {
  /** Of the method, as the contract names it. */
  readonly method: string;
  readonly instance: string;
  readonly startedAt: number;
  /** Undefined while it runs. */
  readonly endedAt: number | undefined;
}

/** What the caller's policies did besides. */
export interface LoadReport {
  readonly calls: readonly Call[];
  readonly retries: number;
  /** What the first error of each code said. */
  readonly errors: Readonly<Record<string, string>>;
}

export type FromProgram =
  | { readonly kind: "ready"; readonly instance: string; readonly address: string | undefined }
  | { readonly kind: "reply"; readonly request: number; readonly value: unknown }
  | { readonly kind: "failed"; readonly request: number; readonly why: string };
