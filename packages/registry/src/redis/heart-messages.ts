import type { InstanceState, Registration } from "../registry.ts";

/** What the heart's thread is started with. */
export interface HeartData {
  readonly url: string;
  readonly heartbeatMs: number;
  readonly registerTimeoutMs: number;
  readonly blockedMs: number;
  readonly mostInstances: number;
  readonly pulse: SharedArrayBuffer;
}

/** Epochs stay text on this side: Lua and JSON would round them. */
export interface HeldLease {
  readonly id: number;
  readonly registration: Registration;
  /** Empty until Redis has given one. */
  readonly epoch: string;
  readonly state: InstanceState;
}

export type HeartRequest =
  | { readonly kind: "register"; readonly lease: HeldLease }
  | { readonly kind: "update"; readonly id: number; readonly state: InstanceState }
  | { readonly kind: "release"; readonly id: number }
  | { readonly kind: "close" };

export type ToHeart = { readonly request: number } & HeartRequest;

export type FromHeart =
  | { readonly kind: "done"; readonly request: number; readonly epoch: string }
  | {
      readonly kind: "failed";
      readonly request: number;
      readonly cause: "lost" | "denied" | "unavailable";
      readonly message: string;
    }
  | { readonly kind: "lost"; readonly id: number }
  | { readonly kind: "log"; readonly level: "info" | "warn"; readonly message: string };
