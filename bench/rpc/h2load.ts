import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { create, toBinary } from "@bufbuild/protobuf";
import { GetUserRequestSchema } from "./gen/weft/bench/v1/user_service_pb.ts";
import { userIds } from "./users.ts";

const run = promisify(execFile);

/** nghttp2's load generator against a gRPC server: 4 connections, 64 streams on each. Undefined where it is not installed. */
export async function h2load(
  port: number,
  requests: number,
): Promise<{ readonly perSecond: number; readonly errors: number } | undefined> {
  const dir = await mkdtemp(join(tmpdir(), "weft-h2load-"));
  try {
    const message = toBinary(GetUserRequestSchema, create(GetUserRequestSchema, { userId: userIds[0] as string }));
    const head = Buffer.alloc(5);
    head.writeUInt32BE(message.length, 1);
    const body = join(dir, "request");
    await writeFile(body, Buffer.concat([head, message]));
    const headers = ["-H", "content-type: application/grpc", "-H", "te: trailers"];
    const url = `http://127.0.0.1:${port}/weft.bench.v1.UserService/GetUser`;
    const args = ["-n", String(requests), "-c", "4", "-m", "64", "-d", body, ...headers, url];
    const { stdout } = await run("h2load", args);
    const [, perSecond] = /finished in [^,]+, ([\d.]+) req\/s/.exec(stdout) ?? [];
    const [, succeeded] = /(\d+) succeeded/.exec(stdout) ?? [];
    return { perSecond: Number(perSecond), errors: requests - Number(succeeded) };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    process.stderr.write("bench: h2load is not installed (Debian: nghttp2-client), so its rows are skipped\n");
    return undefined;
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}
