import { injectTrace, inSpan, type Span, SpanKind } from "@weft/telemetry";
import { z } from "zod";
import type { Charge, PaymentProvider, Refund, RefundOutcome } from "../app/payment-provider.ts";
import type { ChargeOutcome, LookupOutcome } from "../domain/transitions.ts";

export interface HttpPaymentProviderOptions {
  /** Where the provider's paths begin. */
  readonly url: string;
  /** Longest time for one answer. */
  readonly timeoutMs: number;
  readonly fetch?: typeof globalThis.fetch;
}

/** What is kept of an answer: a database can't hold every string. */
const text = z.string().regex(/^\P{Cc}{1,200}$/u);
const chargeAnswer = z.object({ id: text });
const refusalAnswer = z.object({ code: text });
const chargesAnswer = z.array(z.object({ id: text, order_id: z.string(), status: z.enum(["succeeded", "declined"]) }));

/**
 * A payment provider over HTTP. The order's id is the idempotency key of its charge, and of its refund with a prefix, so
 * that a request can be repeated until there is an answer. Neither tokens nor bodies appear in what it reports.
 */
export function createHttpPaymentProvider(options: HttpPaymentProviderOptions): PaymentProvider {
  const { url, timeoutMs, fetch = globalThis.fetch } = options;

  async function ask(method: "GET" | "POST", path: string, route: string, options: Ask): Promise<Answer> {
    const target = new URL(`${url.replace(/\/+$/, "")}${path}`);
    const attributes = {
      "http.request.method": method,
      "url.template": route,
      "server.address": target.hostname,
      "server.port": Number(target.port || (target.protocol === "https:" ? 443 : 80)),
    };
    return inSpan(`${method} ${route}`, { kind: SpanKind.CLIENT, attributes }, async (span) => {
      const headers = new Headers(options.headers);
      injectTrace((name, value) => headers.set(name, value));
      return exchange(span, () =>
        fetch(target, {
          method,
          headers,
          ...(options.body !== undefined && { body: options.body }),
          redirect: "error",
          signal: AbortSignal.any([options.signal, AbortSignal.timeout(timeoutMs)]),
        }),
      );
    });
  }

  function post(path: string, route: string, key: string, body: object, signal: AbortSignal): Promise<Answer> {
    const headers = { "content-type": "application/json", "idempotency-key": key };
    return ask("POST", path, route, { headers, body: JSON.stringify(body), signal });
  }

  return {
    async charge({ orderId, amount, token }: Charge, signal): Promise<ChargeOutcome> {
      const body = {
        amount_minor: Number(amount.minorUnits),
        currency: amount.currencyCode,
        token,
        order_id: orderId,
      };
      if (!Number.isSafeInteger(body.amount_minor)) return { kind: "declined", reason: "amount_too_large" };
      return chargeOutcome(await post("/charges", "/charges", orderId, body, signal));
    },

    async find(orderId, signal): Promise<LookupOutcome> {
      const path = `/charges?order_id=${encodeURIComponent(orderId)}`;
      return lookupOutcome(orderId, await ask("GET", path, "/charges", { signal }));
    },

    async refund({ orderId, reference, amount }: Refund, signal): Promise<RefundOutcome> {
      const body = { amount_minor: Number(amount.minorUnits) };
      const path = `/charges/${encodeURIComponent(reference)}/refunds`;
      const answer = await post(path, "/charges/{id}/refunds", `refund-${orderId}`, body, signal);
      if (answer.kind === "answer" && answer.status < 300) return { kind: "refunded" };
      return { kind: "failed", problem: problemOf(answer) };
    },
  };
}

interface Ask {
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly signal: AbortSignal;
}

type Answer =
  | { readonly kind: "answer"; readonly status: number; readonly body: unknown }
  /** No connection came about, so no request left. */
  | { readonly kind: "unreached"; readonly problem: string }
  /** The request may have arrived. */
  | { readonly kind: "lost"; readonly problem: string };

async function exchange(span: Span, send: () => Promise<Response>): Promise<Answer> {
  try {
    const response = await send();
    span.setAttribute("http.response.status_code", response.status);
    return { kind: "answer", status: response.status, body: await bodyOf(response) };
  } catch (error) {
    const problem = codeOf(error);
    span.setAttribute("error.type", problem);
    return { kind: neverConnected.has(problem) ? "unreached" : "lost", problem };
  }
}

async function bodyOf(response: Response): Promise<unknown> {
  const text = await response.text();
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function chargeOutcome(answer: Answer): ChargeOutcome {
  if (answer.kind !== "answer") {
    return { kind: answer.kind === "unreached" ? "untouched" : "unknown", problem: answer.problem };
  }
  const { status, body } = answer;
  if (status < 300) {
    const charged = chargeAnswer.safeParse(body);
    return charged.success
      ? { kind: "charged", reference: charged.data.id }
      : { kind: "unknown", problem: "the provider's answer names no charge" };
  }
  // The card, or what the request says of it, is refused for good.
  if (status === 402 || status === 400 || status === 422) {
    return { kind: "declined", reason: refusalCode(body) ?? "declined" };
  }
  if (status === 409 && refusalCode(body) === keyReused) return { kind: "refused", reason: keyReused };
  // Any other conflict: another request of this key is being processed there.
  if (status >= 500 || status === 409 || status === 408) return { kind: "unknown", problem: problemOf(answer) };
  return { kind: "untouched", problem: problemOf(answer) };
}

/** The code of a key that the provider knows with another request: no repeat of ours will ever be carried out. */
const keyReused = "idempotency_key_reused";

function refusalCode(body: unknown): string | undefined {
  return refusalAnswer.safeParse(body).data?.code;
}

function lookupOutcome(orderId: string, answer: Answer): LookupOutcome {
  if (answer.kind !== "answer" || answer.status >= 300) return { kind: "unknown", problem: problemOf(answer) };
  const charges = chargesAnswer.safeParse(answer.body);
  if (!charges.success) return { kind: "unknown", problem: "the provider's answer is no list of charges" };
  const ours = charges.data.filter((charge) => charge.order_id === orderId);
  const charged = ours.find(({ status }) => status === "succeeded");
  if (charged) return { kind: "charged", reference: charged.id };
  return ours.length > 0 ? { kind: "declined", reason: "declined" } : { kind: "none" };
}

function problemOf(answer: Answer): string {
  return answer.kind === "answer" ? `HTTP ${answer.status}` : answer.problem;
}

const neverConnected: ReadonlySet<string> = new Set([
  "ECONNREFUSED",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ENOTFOUND",
  "EAI_AGAIN",
  "UND_ERR_CONNECT_TIMEOUT",
]);

/** The system's or the client's own name of the failure: fetch hides it in its error's cause. */
function codeOf(error: unknown): string {
  for (let each = error; each instanceof Error; each = each.cause) {
    if ("code" in each && typeof each.code === "string") return each.code;
    if (each.name === "TimeoutError" || each.name === "AbortError") return each.name;
  }
  return "no answer";
}
