import { Code } from "@connectrpc/connect";
import type { UserService } from "@shop/contracts/user";
import { refusal } from "@weft/testkit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createTestDatabase, type TestDatabase } from "../testing/database.ts";
import { openUserService, type RunningUserService } from "../testing/running-user-service.ts";

let database: TestDatabase;
let service: RunningUserService;

beforeAll(async () => {
  database = await createTestDatabase();
  service = await openUserService(database);
});
afterAll(async () => {
  await service?.close();
  await database?.drop();
});

const id = "a0000000-0000-4000-8000-000000000001";
const email = "ada@example.com";
const name = "Ada Lovelace";
const longEmail = `${"a".repeat(64)}@${`${"b".repeat(60)}.`.repeat(4)}com`;
const user = { id, email, name };

type Unary = Exclude<keyof typeof UserService.method, "generateUserReport">;

const bad: [method: Unary, what: string, request: object, field: string][] = [
  ["createUser", "no e-mail address", { name }, "email"],
  ["createUser", "what is no e-mail address", { email: "not an address", name }, "email"],
  ["createUser", "an e-mail address without a host", { email: "ada@", name }, "email"],
  ["createUser", "an e-mail address with a line more", { email: `${email}\nBcc: all@example.com`, name }, "email"],
  ["createUser", "an e-mail address that is too long", { email: longEmail, name }, "email"],
  ["createUser", "no name", { email }, "name"],
  ["createUser", "a name that is too long", { email, name: "n".repeat(101) }, "name"],
  ["createUser", "a NUL in the e-mail address", { email: "a\0da@example.com", name }, "email"],
  ["createUser", "a name of blanks alone", { email, name: " \u00a0\u3000 " }, "name"],
  ["createUser", "a NUL in the name", { email, name: "a\0b" }, "name"],
  ["createUser", "a name of two lines", { email, name: "Ada\r\nBcc: all@example.com" }, "name"],
  ["createUser", "a control character of Latin-1 in the name", { email, name: "Ada\u0085" }, "name"],
  ["getUser", "no id", {}, "user_id"],
  ["getUser", "what is no id", { userId: "42" }, "user_id"],
  ["getUser", "an id that is too long", { userId: `${id}0` }, "user_id"],
  ["getUser", "SQL for an id", { userId: "' OR 1 = 1 --" }, "user_id"],
  ["findUserByEmail", "no e-mail address", {}, "email"],
  ["findUserByEmail", "what is no e-mail address", { email: "not an address" }, "email"],
  ["findUserByEmail", "an e-mail address that is too long", { email: longEmail }, "email"],
  ["updateUser", "no user", {}, "user"],
  ["updateUser", "a user without an id", { user: { email, name } }, "user.id"],
  ["updateUser", "what is no id", { user: { ...user, id: "42" } }, "user.id"],
  ["updateUser", "what is no e-mail address", { user: { ...user, email: "not an address" } }, "user.email"],
  ["updateUser", "an e-mail address that is too long", { user: { ...user, email: longEmail } }, "user.email"],
  ["updateUser", "a name that is too long", { user: { ...user, name: "n".repeat(101) } }, "user.name"],
  ["updateUser", "a name of blanks alone", { user: { ...user, name: "  " } }, "user.name"],
  ["updateUser", "a NUL in the name", { user: { ...user, name: "a\0b" } }, "user.name"],
  ["updateUser", "a status that isn't one", { user: { ...user, status: 42 } }, "user.status"],
  ["updateUser", "no e-mail address and no mask (PUT)", { user: { id, name } }, "user.email"],
  ["updateUser", "no name and no mask (PUT)", { user: { id, email } }, "user.name"],
  [
    "updateUser",
    "no e-mail address that the mask names",
    { user: { id }, updateMask: { paths: ["email"] } },
    "user.email",
  ],
  [
    "updateUser",
    "no name that the mask names",
    { user: { id, email }, updateMask: { paths: ["email", "name"] } },
    "user.name",
  ],
  ["updateUser", "a mask of what can't change", { user, updateMask: { paths: ["name", "status"] } }, "update_mask"],
  ["updateUser", "a mask of what there isn't", { user, updateMask: { paths: ["password"] } }, "update_mask"],
  ["deleteUser", "no id", {}, "user_id"],
  ["deleteUser", "what is no id", { userId: "42" }, "user_id"],
  ["listUsers", "a negative page", { pageSize: -1 }, "page_size"],
  ["listUsers", "a page that is too large", { pageSize: 101 }, "page_size"],
  ["listUsers", "a NUL in the token", { pageToken: "a\0b" }, "page_token"],
  ["listUsers", "a token that is too long", { pageToken: "a".repeat(201) }, "page_token"],
];

describe("what a caller may send", () => {
  it.each(bad)("%s refuses %s by the field's name", async (method, _what, request, field) => {
    const call = service.client[method] as (request: object) => Promise<unknown>;
    const error = await refusal(call(request));
    expect(error.code).toBe(Code.InvalidArgument);
    expect(error.rawMessage).toContain(field);
  });
});
