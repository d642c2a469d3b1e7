import { createServer } from "node:net";
import { delimiter, join } from "node:path";
import { type Stack, startStack } from "@weft/devstack";

/** Where the pages say that things are. */
const ports = { gateway: 8080, "the gateway's gRPC": 9090, "the mailbox": 22580, "the payment provider": 22590 };

/** What `npm run dev` starts in a copy, on the ports that the pages name. Rejects when one of them is taken. */
export async function startDocsStack(
  root: string,
  services: readonly string[] | undefined,
  env: NodeJS.ProcessEnv,
): Promise<Stack> {
  for (const [what, port] of Object.entries(ports)) {
    if (!(await isFree(port))) {
      throw new Error(`127.0.0.1:${port}, which the pages give as ${what}'s, is taken: stop what listens there`);
    }
  }
  return startStack({
    root,
    dataDir: join(root, ".weft"),
    ports: "dev",
    // buf finds its plugins on the path, as npm sets it.
    env: {
      ...env,
      PATH: [join(root, "node_modules", ".bin"), env.PATH].join(delimiter),
      HTTP_PORT: "8080",
      GRPC_PORT: "9090",
    },
    ephemeral: true,
    // As `npm run dev` does: a page may change a contract while it runs.
    watch: true,
    ...(services && { services }),
  });
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen({ port, host: "127.0.0.1", exclusive: true }, () => server.close(() => resolve(true)));
  });
}
