import type { StackRecord } from "@weft/devstack";

/** The JSON of the gateway's REST answers, as far as it is looked at here. */
export interface OrderJson {
  readonly id: string;
  readonly status: string;
  readonly reason?: string;
  /** 1 at first; grows by one with each change. */
  readonly version: number;
  readonly total: { readonly currencyCode: string; readonly minorUnits: string };
}

export interface ProductJson {
  readonly id: string;
  readonly name: string;
  readonly price: { readonly currencyCode: string; readonly minorUnits: string };
  readonly stock?: number;
  readonly reserved?: number;
}

export interface MailJson {
  readonly number: number;
  readonly messageId: string;
  readonly to: readonly string[];
  readonly subject: string;
}

/** An entry in the payment provider's books. */
export interface ChargeJson {
  readonly order_id: string;
  readonly status: string;
  readonly amount_minor: number;
}

export interface RefundJson {
  readonly order_id: string;
  readonly amount_minor: number;
}

export interface Answer<T> {
  readonly status: number;
  readonly text: string;
  readonly body: T;
}

export interface ErrorJson {
  readonly error: { readonly code: number; readonly status: string; readonly message: string };
}

/** A customer of the shop: REST to the gateway, and a look into the mailbox and the payment provider's books. */
export interface Shop {
  readonly url: string;
  call<T>(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer<T>>;
  createUser(name: string, email?: string): Promise<{ readonly id: string; readonly email: string }>;
  products(): Promise<readonly ProductJson[]>;
  product(id: string): Promise<ProductJson>;
  order(
    userId: string,
    items: readonly { readonly productId: string; readonly quantity: number }[],
    options?: { readonly token?: string; readonly key?: string },
  ): Promise<Answer<{ readonly order: OrderJson } & ErrorJson>>;
  cancel(orderId: string): Promise<Answer<{ readonly order: OrderJson } & ErrorJson>>;
  getOrder(id: string): Promise<OrderJson>;
  /** Undefined while no payment is known for the order. */
  paymentStatus(orderId: string): Promise<string | undefined>;
  mails(to: string): Promise<readonly MailJson[]>;
  charges(orderId?: string): Promise<readonly ChargeJson[]>;
  refunds(orderId?: string): Promise<readonly RefundJson[]>;
}

export function shopOf(record: Pick<StackRecord, "env" | "services">): Shop {
  const http = record.services.gateway?.addresses.http;
  if (!http) throw new Error("the gateway is not running: start `npm run dev` and wait for its table");
  const url = `http://${http}`;
  const mailbox = record.env.MAILBOX_URL ?? "";
  const provider = record.env.PAYMENT_PROVIDER_URL ?? "";

  const call: Shop["call"] = async (method, path, body, headers = {}) => {
    const response = await fetch(`${url}${path}`, {
      method,
      headers: body === undefined ? headers : { "content-type": "application/json", ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, text, body: parse(text) };
  };
  const need = async <T>(answer: Promise<Answer<T>>): Promise<T> => {
    const { status, text, body } = await answer;
    if (status >= 300) throw new Error(`HTTP ${status}: ${text}`);
    return body;
  };
  const look = async <T>(address: string): Promise<T> => (await fetch(address)).json() as Promise<T>;
  const ofOrder = (orderId?: string): string => (orderId === undefined ? "" : `?order_id=${orderId}`);

  return {
    url,
    call,
    async createUser(
      name,
      email = `${name.toLowerCase().replaceAll(/\W+/g, ".")}.${crypto.randomUUID().slice(0, 8)}@example.com`,
    ) {
      const { user } = await need(call<{ user: { id: string; email: string } }>("POST", "/v1/users", { name, email }));
      return user;
    },
    products: async () => (await need(call<{ products: ProductJson[] }>("GET", "/v1/products?pageSize=100"))).products,
    product: async (id) => (await need(call<{ product: ProductJson }>("GET", `/v1/products/${id}`))).product,
    order: (userId, items, { token = "tok_visa", key } = {}) =>
      call(
        "POST",
        "/v1/orders",
        { userId, items, paymentToken: token },
        key === undefined ? {} : { "idempotency-key": key },
      ),
    cancel: (orderId) => call("POST", `/v1/orders/${orderId}:cancel`, { reason: "the customer changed their mind" }),
    getOrder: async (id) => (await need(call<{ order: OrderJson }>("GET", `/v1/orders/${id}`))).order,
    paymentStatus: async (orderId) =>
      (await call<{ payment?: { status: string } }>("GET", `/v1/payments/${orderId}`)).body.payment?.status,
    mails: (to) => look(`${mailbox}/messages?to=${encodeURIComponent(to)}`),
    charges: (orderId) => look(`${provider}/charges${ofOrder(orderId)}`),
    refunds: (orderId) => look(`${provider}/refunds${ofOrder(orderId)}`),
  };
}

function parse<T>(text: string): T {
  try {
    return JSON.parse(text) as T;
  } catch {
    return {} as T;
  }
}
