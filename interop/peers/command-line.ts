import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { create, toBinary } from "@bufbuild/protobuf";
import { SimpleRequestSchema } from "../gen/grpc/testing/test_pb.ts";
import type { Report } from "../report.ts";
import { goTool, installed, run } from "../tools.ts";
import { serveOurs } from "./ours.ts";

const proto = join(import.meta.dirname, "../proto");
const service = "grpc.testing.TestService";

/** grpcurl, curl, nghttp and h2load, as an operator has them at hand. */
export async function commandLine(report: Report): Promise<void> {
  const ours = await serveOurs();
  await grpcurl(report, ours.port);
  const dir = await mkdtemp(join(tmpdir(), "weft-interop-"));
  const message = toBinary(SimpleRequestSchema, create(SimpleRequestSchema, { responseSize: 100 }));
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  const body = join(dir, "request");
  await writeFile(body, Buffer.concat([head, message]));
  const url = `http://127.0.0.1:${ours.port}/${service}/UnaryCall`;
  const headers = ["-H", "content-type: application/grpc", "-H", "te: trailers"];
  const curl = await installed("curl", "curl");
  if ("missing" in curl) report.skip("curl", curl.missing);
  else
    await report.check("curl --http2-prior-knowledge: a unary call", async () => {
      const args = ["-sS", "-i", "--http2-prior-knowledge", ...headers, "--data-binary", `@${body}`, url];
      const { stdout } = await run("curl", args, { encoding: "latin1" });
      assert.match(stdout, /^HTTP\/2 200/);
      assert.match(stdout, /grpc-status: 0/);
    });
  const nghttp = await installed("nghttp", "nghttp2-client");
  if ("missing" in nghttp) report.skip("nghttp", nghttp.missing);
  else
    await report.check("nghttp: a unary call", async () => {
      const { stdout } = await run("nghttp", ["-v", "-H", ":method: POST", ...headers, "-d", body, url], {
        encoding: "latin1",
      });
      assert.match(stdout, /grpc-status: 0/);
      assert.doesNotMatch(stdout, /GOAWAY.*PROTOCOL_ERROR/);
    });
  const h2load = await installed("h2load", "nghttp2-client");
  if ("missing" in h2load) report.skip("h2load", h2load.missing);
  else
    await report.check("h2load: 20,000 calls over 10 connections", async () => {
      const { stdout } = await run("h2load", ["-n", "20000", "-c", "10", "-m", "50", "-d", body, ...headers, url]);
      assert.match(stdout, /20000 succeeded, 0 failed, 0 errored, 0 timeout/);
    });
  await ours.close();
  await rm(dir, { recursive: true });
}

async function grpcurl(report: Report, port: number): Promise<void> {
  const tool = await goTool("grpcurl", "github.com/fullstorydev/grpcurl/cmd/grpcurl@v1.9.3");
  if ("missing" in tool) {
    report.skip("grpcurl", tool.missing);
    return;
  }
  const call = async (method: string, data: string, ...more: string[]): Promise<string> => {
    const args = ["-plaintext", "-import-path", proto, "-proto", "grpc/testing/test.proto", ...more, "-d", data];
    const failed = (error: { stderr: string; stdout: string }) => ({ stdout: error.stdout + error.stderr });
    const { stdout } = await run(tool.path, [...args, `127.0.0.1:${port}`, `${service}/${method}`]).catch(failed);
    return stdout;
  };
  const checks: Readonly<Record<string, () => Promise<void>>> = {
    "a unary call": async () => assert.match(await call("UnaryCall", '{"responseSize": 3}'), /"body": "AAAA"/),
    "a stream": async () => {
      const said = await call("StreamingOutputCall", '{"responseParameters": [{"size": 3}, {"size": 3}]}');
      assert.equal(said.match(/"body": "AAAA"/g)?.length, 2);
    },
    "a stream of requests": async () => {
      const said = await call("StreamingInputCall", '{"payload": {"body": "AAAA"}} {"payload": {"body": "AAAA"}}');
      assert.match(said, /"aggregatedPayloadSize": 6/);
    },
    "a conversation": async () => {
      const one = '{"responseParameters": [{"size": 3}]}';
      assert.equal((await call("FullDuplexCall", `${one} ${one}`)).match(/"body": "AAAA"/g)?.length, 2);
    },
    "an error": async () => {
      const said = await call("UnaryCall", '{"responseStatus": {"code": 9, "message": "so it is"}}');
      assert.match(said, /FailedPrecondition/);
      assert.match(said, /so it is/);
    },
    "a deadline": async () => {
      const slow = '{"responseParameters": [{"size": 1, "intervalUs": 5000000}]}';
      assert.match(await call("StreamingOutputCall", slow, "-max-time", "0.2"), /DeadlineExceeded/);
    },
  };
  for (const [name, check] of Object.entries(checks)) await report.check(`grpcurl: ${name}`, check);
}
