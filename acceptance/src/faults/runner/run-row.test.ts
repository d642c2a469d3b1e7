import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import type { Ground, Row } from "./row.ts";
import { runRow } from "./run-row.ts";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "weft-rows-"));
});
afterEach(() => rmSync(root, { recursive: true }));

const row = (run: Row["run"], minutes = 1): Row => ({ name: "row", claim: "it holds", minutes, run });
const options = { small: true, say: () => {}, onLine: () => {}, random: () => 0, signal: new AbortController().signal };

it("has held when its counts are what is wanted, however long it took", async () => {
  const report = await runRow(
    row(async ({ findings, size }) => {
      findings.count("lost", size(1, 0), 0);
      findings.within("recovery", 9, 1, "ms");
    }),
    { ...options, root },
  );
  expect(report).toMatchObject({ row: "row", ok: true });
});

it("has failed when a count is wrong", async () => {
  const report = await runRow(
    row(async ({ findings }) => findings.count("lost", 1, 0)),
    { ...options, root },
  );
  expect(report.ok).toBe(false);
});

it("has failed when there is less of something than there must be", async () => {
  const run = (seen: number) =>
    runRow(
      row(async ({ findings }) => findings.atLeast("sold", seen, 2)),
      { ...options, root },
    );
  expect((await run(1)).ok).toBe(false);
  expect((await run(2)).ok).toBe(true);
});

it("has failed when it throws, and what it built is taken down, the last first", async () => {
  const closed: string[] = [];
  let folder = "";
  const report = await runRow(
    row(async (ground) => {
      folder = ground.folder();
      ground.atEnd(() => void closed.push("server"));
      ground.atEnd(() => void closed.push("client"));
      throw new Error("the server did not start");
    }),
    { ...options, root },
  );
  expect(report.findings).toEqual([{ kind: "violation", text: "the server did not start" }]);
  expect(closed).toEqual(["client", "server"]);
  expect(existsSync(folder)).toBe(false);
});

it("goes on taking down when a part of it fails to close", async () => {
  const closed: string[] = [];
  const report = await runRow(
    row(async ({ atEnd }) => {
      atEnd(() => void closed.push("server"));
      atEnd(() => Promise.reject(new Error("the client hangs")));
    }),
    { ...options, root },
  );
  expect(closed).toEqual(["server"]);
  expect(report.findings).toEqual([{ kind: "violation", text: "the client hangs" }]);
});

it("ends a row when what it stands on is gone", async () => {
  const report = await runRow(
    row(({ fail }) => {
      fail("the server ended");
      return new Promise(() => {});
    }),
    { ...options, root },
  );
  expect(report.findings).toEqual([{ kind: "violation", text: "the server ended" }]);
});

it("ends a row that takes too long", async () => {
  const report = await runRow(
    row(() => new Promise(() => {}), 0.0005),
    { ...options, root },
  );
  expect(report.findings).toEqual([{ kind: "violation", text: "row took more than 0.0005 min" }]);
});

it("ends a row when everything is to end", async () => {
  const all = new AbortController();
  const seen: AbortSignal[] = [];
  const running = runRow(
    row(({ signal }: Ground) => {
      seen.push(signal);
      all.abort(new Error("interrupted by SIGINT"));
      return new Promise(() => {});
    }),
    { ...options, root, signal: all.signal },
  );
  expect((await running).findings).toEqual([{ kind: "violation", text: "interrupted by SIGINT" }]);
  expect(seen[0]?.aborted).toBe(true);
});
