/**
 * The payment provider that the shop charges, simulated over real HTTP; durable (settings.ts says where). Errors are
 * `{ code, message }`.
 *
 * - `POST /charges {amount_minor, currency, token, order_id}` with header `Idempotency-Key`: 201 with the charge
 *   `{ id, order_id, amount_minor, currency, token, status, created_at }`. The same key and body: the same answer again,
 *   after a restart too; another body: 409 `idempotency_key_reused`. The token decides: `tok_declined…` is 402
 *   `card_declined`, `tok_slow…` succeeds after SLOW_MS (3,000), any other `tok_…` succeeds at once.
 * - `POST /charges/{id}/refunds {amount_minor?}` with `Idempotency-Key`: 201 with the refund; without an amount, all of it.
 *   409 `refund_too_large` and `not_charged`, 404 `charge_not_found`.
 * - `GET /charges?order_id=` and `GET /refunds?order_id=`: lists, for tests.
 * - `POST /faults {"fail": 2}`: the next two POSTs are 503 and change nothing. `{"stall": 1}`: the next POST gets no answer
 *   and changes nothing. `{"lose": 1}`: the next POST is carried out, but its connection is cut before the answer.
 *   0 ends each. 204.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { type Answer, BadRequest, ConnectionCut, jsonObject, listen, type Question } from "../http.ts";
import { openJournal } from "./journal.ts";
import { createProvider, type Entry } from "./provider.ts";
import { settings } from "./settings.ts";

const { HOST, HTTP_PORT, DATA_DIR, SLOW_MS } = settings.parse(process.env);
const provider = createProvider(openJournal<Entry>(DATA_DIR, "journal.ndjson"));
const faults = { fail: 0, stall: 0, lose: 0 };
const server = await listen(HTTP_PORT, answer, HOST);

for (const signal of ["SIGTERM", "SIGINT"] as const) {
  process.once(signal, () => {
    server.close(() => process.exit(0));
    server.closeAllConnections();
  });
}

async function answer(question: Question): Promise<Answer> {
  const { method, path, query, body } = question;
  if (method === "POST" && path === "/faults") return setFaults(jsonObject(body));
  if (method === "GET" && path === "/charges") return { status: 200, body: ofOrder(provider.charges(), query) };
  if (method === "GET" && path === "/refunds") return { status: 200, body: ofOrder(provider.refunds(), query) };
  if (method === "POST" && takeFault("fail"))
    return { status: 503, body: { code: "unavailable", message: "try again later" } };
  if (method === "POST" && takeFault("stall")) await new Promise<never>(() => {});
  const lost = method === "POST" && takeFault("lose");
  const result = await carryOut(question);
  if (lost) throw new ConnectionCut();
  return result;
}

async function carryOut({ method, path, headers, body }: Question): Promise<Answer> {
  const key = [headers["idempotency-key"]].flat()[0];
  if (method === "POST" && path === "/charges") {
    const request = jsonObject(body);
    const slow = typeof request.token === "string" && request.token.startsWith("tok_slow");
    if (slow) await sleep(SLOW_MS);
    return provider.charge(key, request);
  }
  const chargeId = /^\/charges\/([^/]+)\/refunds$/.exec(path)?.[1];
  if (method === "POST" && chargeId !== undefined)
    return provider.refund(key, chargeId, body === "" ? {} : jsonObject(body));
  return { status: 404, body: { code: "not_found", message: `there is no ${method} ${path}` } };
}

function setFaults(asked: Readonly<Record<string, unknown>>): Answer {
  for (const [name, count] of Object.entries(asked)) {
    if (!(name in faults)) throw new BadRequest(`there is no fault "${name}": fail, stall and lose are`);
    if (!Number.isInteger(count) || (count as number) < 0)
      throw new BadRequest(`${name} must be a whole number from 0`);
    faults[name as keyof typeof faults] = count as number;
  }
  return { status: 204 };
}

function takeFault(name: keyof typeof faults): boolean {
  if (faults[name] === 0) return false;
  faults[name] -= 1;
  return true;
}

function ofOrder<T extends { order_id: string }>(list: readonly T[], query: URLSearchParams): readonly T[] {
  const order = query.get("order_id");
  return order === null ? list : list.filter(({ order_id }) => order_id === order);
}
