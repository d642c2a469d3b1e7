import { defineConfig } from "vitest/config";

export default defineConfig({
  resolve: { conditions: ["source"] },
  ssr: { resolve: { conditions: ["source", "node"], externalConditions: ["source", "node"] } },
  test: {
    include: [
      "packages/*/src/**/*.test.ts",
      "services/*/src/**/*.test.ts",
      "{tools,deploy,acceptance,bench}/**/*.test.ts",
    ],
    pool: "forks",
    execArgv: ["--conditions=source"],
    testTimeout: 20_000,
    hookTimeout: 60_000,
  },
});
