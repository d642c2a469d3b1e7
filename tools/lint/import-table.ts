/** Which packages a package may import, by workspace name. What is absent is forbidden; npm libraries are not judged here. */
export interface ImportRule {
  /** Anywhere in the package. */
  readonly imports: readonly string[];
  /** With `import type` alone, so that nothing of it is loaded. */
  readonly types?: readonly string[];
  /** In tests alone. */
  readonly tests?: readonly string[];
}

/** The folders of a service, and which of its own folders each may import; only `main.ts` sees all. */
export interface LayerRule {
  readonly imports: readonly string[];
  /** With `import type` alone: the ports of another layer are types. */
  readonly types?: readonly string[];
  /** Pure layers: the only packages and Node modules they may import. Absent means that the package's own rule decides. */
  readonly packages?: readonly string[];
}

const mesh = [
  "@weft/wire",
  "@weft/contracts",
  "@weft/context",
  "@weft/codegen",
  "@weft/rpc",
  "@weft/policy",
  "@weft/registry",
  "@weft/config",
  "@weft/identity",
  "@weft/telemetry",
  "@weft/store",
  "@weft/events",
  "@weft/client",
  "@weft/server",
] as const;

const endpoint = [
  "@weft/rpc",
  "@weft/policy",
  "@weft/context",
  "@weft/registry",
  "@weft/telemetry",
  "@weft/identity",
  "@weft/contracts",
] as const;

const service: ImportRule = {
  imports: [
    "@weft/service",
    "@weft/contracts",
    "@shop/contracts",
    "@weft/store",
    "@weft/events",
    "@weft/context",
    "@weft/telemetry",
  ],
  tests: ["@weft/testkit", "@weft/devstack"],
};

/** The one place that says who may import whom. A package without a row may import none, and nobody may import it. */
export const importTable: Readonly<Record<string, ImportRule>> = {
  "@weft/wire": { imports: [] },
  "@weft/contracts": { imports: [] },
  "@weft/context": { imports: ["@weft/contracts"] },
  "@weft/codegen": { imports: ["@weft/contracts"] },
  "@weft/rpc": { imports: ["@weft/wire", "@weft/context"] },
  "@weft/policy": { imports: ["@weft/contracts", "@weft/context"] },
  "@weft/registry": { imports: ["@weft/contracts"] },
  "@weft/config": { imports: ["@weft/contracts"] },
  "@weft/identity": { imports: ["@weft/contracts"] },
  "@weft/telemetry": { imports: ["@weft/contracts", "@weft/context"] },
  "@weft/store": { imports: ["@weft/context", "@weft/telemetry"], tests: ["@weft/devstack"] },
  "@weft/events": { imports: ["@weft/contracts", "@weft/context", "@weft/store", "@weft/telemetry"] },
  "@weft/client": { imports: endpoint },
  "@weft/server": { imports: endpoint },
  "@weft/service": { imports: mesh },
  "@weft/devstack": { imports: ["@weft/registry"] },
  "@weft/testkit": { imports: [...mesh, "@weft/service"] },
  "@weft/cli": { imports: ["@weft/contracts", "@weft/client", "@weft/registry", "@weft/events", "@weft/config"] },
  "@shop/contracts": { imports: ["@weft/contracts"], types: ["@weft/client", "@weft/events", "@weft/testkit"] },
  "@shop/user": service,
  "@shop/inventory": service,
  "@shop/order": service,
  "@shop/payment": service,
  "@shop/notification": service,
  "@shop/gateway": service,
  "@shop/acceptance": {
    imports: [...mesh, "@weft/service", "@weft/testkit", "@weft/devstack", "@shop/contracts"],
  },
  "@weft/interop": { imports: ["@weft/rpc", "@weft/wire"] },
  "@weft/bench": {
    imports: [...mesh, "@weft/service", "@weft/testkit", "@weft/devstack", "@shop/contracts", "@shop/acceptance"],
  },
};

/**
 * Vendors stand behind a subpath, and one package alone chooses between them: the first that is named. What measures the adapter itself, or
 * breaks it, may import it too.
 */
export const adapters: Readonly<Record<string, readonly string[]>> = {
  "@weft/registry/redis": ["@weft/service", "@weft/devstack", "@shop/acceptance", "@weft/bench"],
  "@weft/events/jetstream": ["@weft/service", "@shop/acceptance", "@weft/bench"],
};

const domainService: Readonly<Record<string, LayerRule>> = {
  rpc: { imports: ["app", "domain"] },
  subscribers: { imports: ["app", "domain"] },
  app: { imports: ["domain"] },
  store: { imports: ["domain"], types: ["app"] },
  peers: { imports: ["domain"], types: ["app"] },
  domain: { imports: [], packages: ["node:crypto"] },
};

/** The layers of each service: a file directly in `src` other than `main.ts` is seen by all and sees none. */
export const layerTable: Readonly<Record<string, Readonly<Record<string, LayerRule>>>> = {
  "@shop/user": domainService,
  "@shop/inventory": domainService,
  "@shop/order": domainService,
  "@shop/payment": domainService,
  "@shop/notification": domainService,
};
