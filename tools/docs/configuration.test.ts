import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import type { z } from "zod";
import { settings as gateway } from "../../services/gateway/src/settings.ts";
import { settings as inventory } from "../../services/inventory/src/settings.ts";
import { settings as notification } from "../../services/notification/src/settings.ts";
import { settings as order } from "../../services/order/src/settings.ts";
import { settings as payment } from "../../services/payment/src/settings.ts";
import { settings as user } from "../../services/user/src/settings.ts";

const root = resolve(import.meta.dirname, "../..");
const services = ["user", "inventory", "order", "payment", "notification"];
const groups: Readonly<Record<string, readonly string[]>> = { all: [...services, "gateway"], services };
const schemas: Readonly<Record<string, z.ZodObject>> = { user, inventory, order, payment, notification, gateway };

/** What the table says that a process reads: variable → default. */
function documented(process: string): Record<string, string> {
  const page = readFileSync(join(root, "docs/configuration.md"), "utf8");
  const rows = [...page.matchAll(/^\| `(\w+)` \| ([^|]+) \| ([^|]+) \|/gm)];
  const own = rows.filter(([, , readers = ""]) => (groups[readers] ?? readers.split(", ")).includes(process));
  return Object.fromEntries(own.map(([, name = "", , fallback = ""]) => [name, fallback.replaceAll("`", "")]));
}

/** What its schema says. */
function declared(schema: z.ZodObject): Record<string, string> {
  const said = ([name, field]: [string, z.core.$ZodType]): [string, string] => {
    const silent = (field as z.ZodType).safeParse(undefined);
    if (!silent.success) return [name, "required"];
    return [name, silent.data === undefined ? "none" : String(silent.data)];
  };
  return Object.fromEntries(Object.entries(schema.shape).map(said));
}

describe("docs/configuration.md has every variable, with its default, of", () => {
  it.each(Object.entries(schemas))("%s", (process, schema) => {
    expect(documented(process)).toEqual(declared(schema));
  });
});

describe("turbo hides no variable of", () => {
  const { globalPassThroughEnv } = JSON.parse(readFileSync(join(root, "turbo.json"), "utf8")) as {
    globalPassThroughEnv: readonly string[];
  };
  const passes = (name: string): boolean =>
    globalPassThroughEnv.some((pattern) =>
      pattern.endsWith("*") ? name.startsWith(pattern.slice(0, -1)) : name === pattern,
    );

  it.each(Object.entries(schemas))("%s", (_process, schema) => {
    expect(Object.keys(schema.shape).filter((name) => !passes(name))).toEqual([]);
  });
});
