import type { Mail } from "../domain/mail.ts";

/** Who carries mails away. */
export interface Mailer {
  /** Never rejects for what the mail server says or doesn't: all of it is an outcome. */
  send(mail: AddressedMail): Promise<SendOutcome>;
}

export interface AddressedMail extends Mail {
  /** The left side of the Message-ID: the same mail again has the same one. */
  readonly id: string;
  readonly recipient: string;
}

export type SendOutcome =
  | { readonly kind: "sent" }
  /** The server will never take this mail. */
  | { readonly kind: "rejected"; readonly reason: string }
  /** Not now, or nobody knows: to be tried again. */
  | { readonly kind: "deferred"; readonly problem: string };
