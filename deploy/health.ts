// `node --conditions=source deploy/health.ts ADDRESS…`: exit 0 when grpc.health.v1 says SERVING at each (host:port).
import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { Health, ServingStatus } from "@weft/contracts";

const answers = await Promise.all(
  process.argv.slice(2).map(async (address) => {
    const client = createClient(Health, createGrpcTransport({ baseUrl: `http://${address}` }));
    const { status } = await client.check({}, { timeoutMs: 2_000 });
    return status === ServingStatus.SERVING;
  }),
);
process.exit(answers.length > 0 && answers.every((serving) => serving) ? 0 : 1);
