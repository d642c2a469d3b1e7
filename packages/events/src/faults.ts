/** Steps at which a crash test may stop or kill the process. */
export type FaultPoint =
  /** The relay read the row and has not published it. */
  | "before-publish"
  /** The broker has the event and the row does not say so. */
  | "after-publish"
  /** The inbox admitted the event, the handler has not run. */
  | "before-effect"
  /** The handler has run, nothing is committed. */
  | "after-effect"
  /** The effect is committed, the broker has no answer. */
  | "before-ack";

/** Called at each point; throwing there skips what follows, as a crash would. */
export type Faults = (point: FaultPoint, eventId: string) => void | Promise<void>;
