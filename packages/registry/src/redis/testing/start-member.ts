import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { MemberOptions } from "./member.ts";

export interface Member {
  /** Stands its event loop still, without waiting for the end of it. */
  block(ms: number): void;
  kill(): Promise<void>;
}

/** A real process with one instance; resolves when it is registered. */
export async function startMember(options: MemberOptions): Promise<Member> {
  const child = fork(fileURLToPath(new URL("./member.ts", import.meta.url)), [JSON.stringify(options)], {
    execArgv: [],
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  const exited = once(child, "exit");
  await Promise.race([
    once(child, "message"),
    exited.then(([code]) => Promise.reject(new Error(`the member ended with ${code} before it was registered`))),
  ]);
  return {
    block: (blockMs) => child.send({ blockMs }),
    async kill() {
      child.kill("SIGKILL");
      await exited;
    },
  };
}
