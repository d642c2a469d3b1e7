import type { CodeName, GiveUpReason } from "@weft/policy";

/** What policies did, as it happens. */
export type MeshEvent =
  | { readonly kind: "retry"; readonly method: string; readonly attempt: number; readonly code: CodeName }
  /** A call that was retried, or would have been, got its last error after all. */
  | {
      readonly kind: "gave-up";
      readonly method: string;
      readonly attempt: number;
      readonly code: CodeName;
      readonly reason: GiveUpReason;
    }
  /** A call found the circuit open or the bulkhead full at one instance; another may still take it. */
  | { readonly kind: "rejected"; readonly method: string; readonly instance: string; readonly cause: RejectionCause }
  | {
      readonly kind: "circuit";
      readonly service: string;
      readonly instance: string;
      readonly state: "closed" | "open" | "half-open";
    }
  /** An instance could not be reached, or has answered again. */
  | { readonly kind: "connection"; readonly service: string; readonly instance: string; readonly reachable: boolean }
  /** An instance fares worse than the others and is left out; it is on trial; it takes its share again. */
  | {
      readonly kind: "outlier";
      readonly service: string;
      readonly instance: string;
      readonly change: "ejected" | "probing" | "returned";
      readonly cause: string | undefined;
    };

export type RejectionCause = "circuit" | "bulkhead";
