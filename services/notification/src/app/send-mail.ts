import { continueFrom, type Logger } from "@weft/telemetry";
import type { Mailer } from "./mailer.ts";
import type { Claim, Notifications } from "./notifications.ts";

export interface SendParts {
  readonly notifications: Notifications;
  readonly mailer: Mailer;
  readonly logger: Logger;
  readonly now: () => Date;
  /** Milliseconds until the attempt after the n-th. */
  readonly pauseMs: (attempt: number) => number;
}

/**
 * One attempt at a claimed mail; it is tried until the server takes it or refuses it for good. A crash between the
 * server's answer and the commit sends it again with the same Message-ID.
 */
export function sendMail(parts: SendParts) {
  return (claim: Claim): Promise<void> => {
    const { id, kind } = claim.notification;
    const attributes = { "notification.id": id, "notification.kind": kind, "notification.attempt": claim.attempt };
    return continueFrom(claim.origin, "send mail", { attributes }, () => attempt(parts, claim));
  };
}

async function attempt({ notifications, mailer, logger, now, pauseMs }: SendParts, claim: Claim): Promise<void> {
  const { id, kind, mail } = claim.notification;
  const facts = { notificationId: id, kind, attempt: claim.attempt };
  const outcome = await mailer.send({ ...mail, id, recipient: claim.recipient });
  switch (outcome.kind) {
    case "sent":
      await notifications.markSent(claim, now());
      logger.info(facts, "mail sent");
      return;
    case "rejected":
      await notifications.markRejected(claim, outcome.reason);
      logger.warn({ ...facts, reason: outcome.reason }, "the mail server refused a mail for good");
      return;
    case "deferred":
      await notifications.postpone(claim, new Date(now().getTime() + pauseMs(claim.attempt)));
      logger.warn({ ...facts, problem: outcome.problem }, "a mail could not be sent yet");
      return;
  }
}
