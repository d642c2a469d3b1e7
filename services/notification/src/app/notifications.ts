import type { Origin } from "@weft/telemetry";
import type { Address, Notification } from "../domain/notification.ts";

/** Where notifications are kept until they are sent, and after. */
export interface Notifications {
  /** Adds it; one with the same id stays as it is. */
  add(notification: Notification): Promise<void>;
  /** A user's, newest first, after the cursor. */
  page(userId: string, after: NotificationCursor | undefined, size: number): Promise<readonly Notification[]>;
  /** Gives those that wait for this user's address what is known of it now. */
  resolve(userId: string): Promise<void>;
  /** The same for all that wait, for what was written while the address arrived in another transaction; answers for how many. */
  resolveAll(): Promise<number>;
  /** Takes up to `limit` that are due and have a recipient; nobody else gets them until `leaseMs` after `now`. */
  claimDue(limit: number, leaseMs: number, now: Date): Promise<readonly Claim[]>;
  /** Ends the claim with the mail sent. Applies to a claim that ran out, too: it was sent. */
  markSent(claim: Claim, at: Date): Promise<void>;
  /** Ends it with the mail refused for good. */
  markRejected(claim: Claim, reason: string): Promise<void>;
  /** Ends it with the mail still owed. */
  postpone(claim: Claim, dueAt: Date): Promise<void>;
}

/** A place in a user's list. */
export interface NotificationCursor {
  readonly createdAt: Date;
  readonly id: string;
}

/** A mail that somebody is sending. */
export interface Claim {
  readonly notification: Notification;
  readonly recipient: string;
  /** Tells this claim from later ones of the same mail. */
  readonly lease: string;
  /** 1 at the first. */
  readonly attempt: number;
  readonly origin: Origin;
}

/** The addresses that user events told of. */
export interface Addresses {
  find(userId: string): Promise<Address>;
  put(userId: string, email: string): Promise<void>;
  forget(userId: string): Promise<void>;
}

/** All or nothing; a part of the transaction that runs, if one does. */
export type Atomically = <T>(work: () => Promise<T>) => Promise<T>;
