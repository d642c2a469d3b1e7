import type { Servers } from "./world.ts";

/** What a worker is told, once. */
export type Task = Servers &
  (
    | { readonly role: "relay"; readonly count: number; readonly warmUp: number }
    | { readonly role: "raw-publish"; readonly count: number; readonly warmUp: number; readonly window: number }
    | { readonly role: "raw-consume"; readonly count: number; readonly warmUp: number }
    | { readonly role: "subscribe"; readonly count: number; readonly warmUp: number; readonly batch: number }
    | { readonly role: "publish-steadily"; readonly count: number; readonly perSecond: number }
    | { readonly role: "note-starts"; readonly count: number }
    | {
        readonly role: "publish-for-long";
        readonly count: number;
        readonly perSecond: number;
        readonly retentionMs: number;
      }
  );

export interface Answer {
  /** Events a second, those of the warm-up not counted. */
  readonly rate: number;
  /** Events that are missing or too many. */
  readonly errors: number;
  /** For latency: when each event was committed, or began to be handled. */
  readonly at?: readonly (readonly [id: string, ms: number])[];
  /** For the table's size: MiB after each tenth of the events. */
  readonly sizes?: readonly number[];
}
