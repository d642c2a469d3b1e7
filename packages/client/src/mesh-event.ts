import type { CodeName } from "@weft/policy";

/** What policies did, as it happens. */
export type MeshEvent =
  | { readonly kind: "retry"; readonly method: string; readonly attempt: number; readonly code: CodeName }
  | {
      readonly kind: "circuit";
      readonly service: string;
      readonly instance: string;
      readonly state: "closed" | "open" | "half-open";
    };
