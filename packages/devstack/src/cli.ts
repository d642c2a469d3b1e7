/** The commands of bin/weft.mjs, once the install is right and the pinned Node runs. */
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { generateIfChanged } from "./generate.ts";

const USAGE = `weft COMMAND
  dev [--only=a,b]    infrastructure and all services, restarted when their code changes; --cluster: three NATS servers
  reset               empties the data of dev
  migrate status|up   the migrations of the databases of a running dev, with --only=a,b of some
  test [vitest args]  all tests, with infrastructure of their own
  infra [-- command]  infrastructure of its own, for a command or until Ctrl-C
  demo, faults, bench, interop, fuzz, soak run against or beside a stack; they take arguments of their own`;

/** Programs that are written elsewhere, by those who know what runs. */
const PROGRAMS: Readonly<Record<string, string>> = {
  demo: "acceptance/src/demo.ts",
  faults: "acceptance/src/faults.ts",
  bench: "bench/main.ts",
  interop: "interop/main.ts",
  fuzz: "packages/wire/fuzz/main.ts",
  soak: "bench/soak/main.ts",
};

const root = process.env.WEFT_ROOT ?? resolve(import.meta.dirname, "../../..");
const say = (text: string) => void process.stderr.write(`weft: ${text}\n`);
const [command = "help", ...args] = process.argv.slice(2);

try {
  process.exitCode = await main();
} catch (error) {
  say((error as Error).message);
  if (process.env.WEFT_DEBUG) process.stderr.write(`${(error as Error).stack}\n`);
  process.exitCode = 1;
}

async function main(): Promise<number> {
  switch (command) {
    case "dev": {
      const { dev } = await import("./commands/dev.ts");
      return dev(root, args, say);
    }
    case "reset": {
      const { reset } = await import("./commands/reset.ts");
      return reset(root, say);
    }
    case "migrate": {
      await generateIfChanged(root, process.env, say);
      const { migrate } = await import("./commands/migrate.ts");
      return migrate(root, args, say);
    }
    case "test": {
      await generateIfChanged(root, process.env, say);
      const { test } = await import("./commands/test.ts");
      return test(root, args, say);
    }
    case "infra": {
      const { infra } = await import("./commands/infra.ts");
      return infra(root, args, say);
    }
    default: {
      const program = PROGRAMS[command];
      if (program !== undefined) return runInstead(program);
      process.stdout.write(`${USAGE}\n`);
      return command === "help" ? 0 : 2;
    }
  }
}

/** Becomes the program: no process stands between the user and it. */
async function runInstead(program: string): Promise<number> {
  const file = resolve(root, program);
  if (!existsSync(file)) {
    say(`there is no ${program} yet`);
    return 1;
  }
  await generateIfChanged(root, process.env, say);
  const argv = [process.execPath, "--conditions=source", file, ...args];
  if (process.execve !== undefined) process.execve(process.execPath, argv, process.env as Record<string, string>);
  const { runForeground } = await import("./foreground.ts");
  return runForeground(argv, process.env, root, new AbortController().signal);
}
