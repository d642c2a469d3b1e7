import { describe, expect, it } from "vitest";
import type { MailJson } from "../../shop.ts";
import { type OrderHistory, wrongLetters } from "./letters.ts";

const order = (status: string, version: number, payment: string): OrderHistory => ({
  id: "7",
  status: `ORDER_STATUS_${status}`,
  version,
  paymentStatus: `PAYMENT_STATUS_${payment}`,
});
const confirmed = order("CONFIRMED", 2, "COMPLETED");
const delivered = order("DELIVERED", 4, "COMPLETED");
const declined = order("CANCELLED", 2, "FAILED");
const raced = order("CANCELLED", 2, "REFUNDED");
const late = order("CANCELLED", 3, "REFUNDED");

const mails = (...subjects: string[]): MailJson[] =>
  ["Welcome to Weft", ...subjects].map((subject, number) => ({ number, messageId: `${number}@x`, to: [], subject }));
const received = "Order 7 received";
const isConfirmed = "Order 7 is confirmed";
const onItsWay = "Order 7 is on its way";
const wasDelivered = "Order 7 was delivered";
const wasCancelled = "Order 7 was cancelled";
const receipt = "Receipt for order 7";

describe("the mails about an order are right", () => {
  it.each([
    ["it was confirmed: with a receipt", confirmed, mails(received, receipt, isConfirmed)],
    [
      "it was delivered: with one for each step",
      delivered,
      mails(received, receipt, isConfirmed, onItsWay, wasDelivered),
    ],
    ["its payment was declined: without one", declined, mails(received, wasCancelled)],
    ["its cancellation raced the charge and won", raced, mails(received, wasCancelled)],
    ["its cancellation raced the charge and lost", raced, mails(received, receipt, wasCancelled)],
    ["it was cancelled once confirmed: both are told", late, mails(received, receipt, isConfirmed, wasCancelled)],
  ])("when %s", (_, history, sent) => {
    expect(wrongLetters([history], sent)).toEqual([]);
  });

  it("when one of them came twice under its own Message-ID", () => {
    const sent = mails(received, receipt, isConfirmed);
    expect(wrongLetters([confirmed], [...sent, ...sent.slice(1, 2)])).toEqual([]);
  });
});

describe("the mails about an order are wrong", () => {
  it.each([
    ["one is lost", confirmed, mails(received, isConfirmed), /^mails "Receipt for order 7": 0 instead of 1$/],
    [
      "it was delivered, and never on its way",
      delivered,
      mails(received, receipt, isConfirmed, wasDelivered),
      /way": 0 instead of 1$/,
    ],
    ["one was written twice", declined, mails(received, wasCancelled, wasCancelled), /cancelled": 2 instead of 1$/],
    [
      "nobody paid, and there is a receipt",
      declined,
      mails(received, wasCancelled, receipt),
      /Receipt.*: 1 instead of 0/,
    ],
    [
      "a confirmation is lost among others",
      late,
      mails(received, receipt, wasCancelled),
      /confirmed": 0 instead of 1$/,
    ],
    [
      "one is about another order",
      confirmed,
      mails(received, receipt, isConfirmed, "Order 8 received"),
      /owed for nothing/,
    ],
  ])("when %s", (_, history, sent, words) => {
    expect(wrongLetters([history], sent)).toEqual([expect.stringMatching(words)]);
  });

  it("when two of them share a Message-ID", () => {
    const sent = mails(received, wasCancelled).map((mail) => ({ ...mail, messageId: `${Math.min(mail.number, 1)}@x` }));
    expect(wrongLetters([declined], sent)).toEqual([expect.stringMatching(/one Message-ID, 1@x/)]);
  });
});
