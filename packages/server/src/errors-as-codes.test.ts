import { Code, ConnectError } from "@connectrpc/connect";
import { expect, test } from "vitest";
import { errorsAsCodes } from "./index.ts";

class NoSuchUser extends Error {}
class Unknown extends Error {}
const { answering, toStatus } = errorsAsCodes([[NoSuchUser, Code.NotFound]]);

test("an error of the table gets its code, and keeps its words", async () => {
  const failed = answering(() => Promise.reject(new NoSuchUser("user u-1 does not exist")));
  await expect(failed).rejects.toEqual(new ConnectError("user u-1 does not exist", Code.NotFound));
});

test("an error that the table doesn't know, and what is no error, pass as they are", async () => {
  const unknown = new Unknown("?");
  await expect(answering(() => Promise.reject(unknown))).rejects.toBe(unknown);
  expect(toStatus("text")).toBe("text");
});

test("an answer is the work's own", async () => {
  expect(await answering(async () => 7)).toBe(7);
});
