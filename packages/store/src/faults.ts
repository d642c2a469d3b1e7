/** Steps of an event's way at which a crash drill may end the process. */
export type FaultPoint =
  /** The event's row is in its transaction, nothing is committed. */
  | "before-commit"
  /** The change and its event are committed, and nothing is published yet. */
  | "after-commit"
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

/** The event that is at the step. */
export interface PassingEvent {
  readonly id: string;
  readonly subject: string;
}

/** Called at each point; throwing there skips what follows, as a crash would. */
export type Faults = (point: FaultPoint, event: PassingEvent) => void | Promise<void>;
