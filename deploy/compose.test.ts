import { existsSync, globSync, readdirSync, readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import type { ZodObject } from "zod";

interface Container {
  readonly image?: string;
  readonly build?: { readonly dockerfile: string };
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly healthcheck?: { readonly test: readonly string[] };
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
}

const root = resolve(import.meta.dirname, "..");
const text = readFileSync(resolve(root, "docker-compose.yml"), "utf8");
const { services: containers } = parse(text, { merge: true }) as { services: Readonly<Record<string, Container>> };
const all = Object.entries(containers);
const shop = readdirSync(resolve(root, "services"));

/** Where programs that aren't ours listen, as their images say. */
const infrastructure: Readonly<Record<string, readonly number[]>> = {
  nats: [4222, 8222],
  redis: [6379],
  postgres: [5432],
  mailpit: [1025, 8025],
  jaeger: [4317, 4318, 16686],
};

/** What images that aren't ours read; of a script that one is given, its own text says it. */
const readByImages: Readonly<Record<string, readonly string[]>> = {
  postgres: ["POSTGRES_USER", "POSTGRES_PASSWORD", ...variablesIn("deploy/postgres/init.sh", /\$\{?([A-Z]\w+)/g)],
};

/** What the exporters read by themselves: for all signals, and for one. */
const exporterOptions = ["ENDPOINT", "HEADERS", "TIMEOUT", "COMPRESSION", "CERTIFICATE", "CLIENT_KEY"];
const readByTelemetry: readonly string[] = [
  ...globSync("packages/telemetry/src/*.ts", { cwd: root })
    .filter((file) => !file.endsWith(".test.ts"))
    .flatMap((file) => variablesIn(file, /\benv\.(OTEL_\w+)/g)),
  ...["", "TRACES_", "METRICS_"].flatMap((signal) =>
    [...exporterOptions, "CLIENT_CERTIFICATE"].map((option) => `OTEL_EXPORTER_OTLP_${signal}${option}`),
  ),
  "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE",
  "OTEL_RESOURCE_ATTRIBUTES",
];

function variablesIn(file: string, pattern: RegExp): readonly string[] {
  return [...readFileSync(resolve(root, file), "utf8").matchAll(pattern)].map(([, name = ""]) => name);
}

/** Where a container listens; ours say so themselves. */
function portsOf(name: string): readonly number[] {
  const { PORT, HTTP_PORT, GRPC_PORT } = containers[name]?.environment ?? {};
  return infrastructure[name] ?? [PORT, HTTP_PORT, GRPC_PORT].filter((port) => port !== undefined).map(Number);
}

test("every service has its container, and every container is a service or known infrastructure", () => {
  expect(Object.keys(containers).sort()).toEqual([...shop, ...Object.keys(infrastructure), "payment-provider"].sort());
});

test.each(all.filter(([, { build }]) => build === undefined))("%s runs a pinned image", (_name, { image }) => {
  expect(image).toMatch(/^[a-z][a-z0-9/-]*:v?\d+\.\d+/);
});

test.each(all.filter(([, { build }]) => build !== undefined))("%s starts a file that exists", (_name, container) => {
  expect(existsSync(resolve(root, container.build?.dockerfile ?? "?"))).toBe(true);
  expect(container.command).toHaveLength(1);
  expect(existsSync(resolve(root, container.command?.[0] ?? "?"))).toBe(true);
});

test.each(all.filter(([, { build }]) => build !== undefined))(
  "the settings of %s are what its schema knows and wants",
  async (name, { command: [entry = ""] = [], environment = {} }) => {
    const module = resolve(root, dirname(entry), "settings.ts");
    const { settings } = (await import(module)) as { settings: ZodObject };
    const known = [...Object.keys(settings.shape), ...(shop.includes(name) ? readByTelemetry : [])];
    expect(Object.keys(environment).filter((variable) => !known.includes(variable))).toEqual([]);
    expect(settings.safeParse(environment).error?.issues ?? []).toEqual([]);
  },
);

test.each(all.filter(([, { build }]) => build === undefined))(
  "%s is told nothing that its image doesn't read",
  (name, { environment = {} }) => {
    const unread = Object.keys(environment).filter((variable) => !(readByImages[name] ?? []).includes(variable));
    expect(unread).toEqual([]);
  },
);

describe.each(shop)("the settings of %s", (name) => {
  const environment = containers[name]?.environment ?? {};

  test("let others reach it under its name", () => {
    expect(environment.HOST).toBe("0.0.0.0");
    if (name !== "gateway") expect(environment.ADVERTISE_HOST).toBe(name);
  });

  test("name containers by ports on which they listen, and wait for each", () => {
    for (const [variable, value] of Object.entries(environment)) {
      if (!URL.canParse(value)) continue;
      const { hostname, port } = new URL(value);
      expect(portsOf(hostname), `${variable}=${value}`).toContain(Number(port));
      // Traces are for who looks; nobody waits for them.
      if (hostname !== "jaeger") expect(containers[name]?.depends_on, variable).toHaveProperty(hostname);
    }
  });

  test("give it a database and a role of its own, which PostgreSQL is told to make", () => {
    const { DATABASE_URL } = environment;
    if (DATABASE_URL === undefined) return expect(name).toBe("gateway");
    const { SERVICES = "", SERVICE_PASSWORD } = containers.postgres?.environment ?? {};
    const { username, password, pathname } = new URL(DATABASE_URL);
    expect([username, pathname, password]).toEqual([name, `/${name}`, SERVICE_PASSWORD]);
    expect(SERVICES.split(" ")).toContain(name);
  });
});

test.each(all)(
  "%s waits until what it needs is healthy, and each of those can say so",
  (_name, { depends_on = {} }) => {
    for (const [needed, { condition }] of Object.entries(depends_on)) {
      expect(condition).toBe("service_healthy");
      expect(containers[needed], needed).toHaveProperty("healthcheck.test");
    }
  },
);

test("the gateway waits for every service", () => {
  expect(Object.keys(containers.gateway?.depends_on ?? {})).toEqual(
    expect.arrayContaining(shop.filter((name) => name !== "gateway")),
  );
});

test.each(all)("%s is asked for its health where it listens", (name, { healthcheck }) => {
  const [, port] = /127\.0\.0\.1:(\d+)/.exec(healthcheck?.test.join(" ") ?? "") ?? [];
  expect(healthcheck?.test[0]).toBe("CMD");
  if (port !== undefined) expect(portsOf(name)).toContain(Number(port));
});

test("ports that are published are ports that are listened on, each once", () => {
  const published = all.flatMap(([name, { ports = [] }]) => ports.map((port) => ({ name, port })));
  for (const { name, port } of published) expect(portsOf(name), name).toContain(Number(port.split(":")[1]));
  const outside = published.map(({ port }) => port.split(":")[0]);
  expect(new Set(outside).size).toBe(outside.length);
});

test("what a container takes from the repository exists", () => {
  const mounted = all.flatMap(([, { volumes = [] }]) => volumes).filter((volume) => volume.startsWith("./"));
  for (const volume of mounted) expect(existsSync(resolve(root, volume.split(":")[0] ?? "")), volume).toBe(true);
});

test("the image's first layer has the manifest of every workspace, so that npm ci finds them", () => {
  const { workspaces } = JSON.parse(readFileSync(resolve(root, "package.json"), "utf8")) as { workspaces: string[] };
  const dockerfile = readFileSync(resolve(root, "deploy/Dockerfile"), "utf8");
  for (const workspace of workspaces) expect(dockerfile).toContain(`${workspace}/package.json`);
});
