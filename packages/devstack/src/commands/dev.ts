import { join } from "node:path";
import { parseArgs } from "node:util";
import { generateIfChanged } from "../generate.ts";
import { onInterrupt } from "../interrupt.ts";
import { killEverything } from "../process/ledger.ts";
import { createPaint, parseLogLine, prettyLine } from "../services/log-line.ts";
import { readServices } from "../services/workspace.ts";
import { startStack } from "../stack.ts";
import { stackTable } from "../table.ts";

/** Readable on dark and light terminals. */
const COLOURS = [33, 64, 136, 166, 125, 61, 37, 130];

/** `weft dev`: everything, until Ctrl-C. */
export async function dev(root: string, args: readonly string[], say: (text: string) => void): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: { only: { type: "string" }, cluster: { type: "boolean" } },
  });
  const dataDir = join(root, ".weft");
  const interrupt = onInterrupt(() => {
    killEverything(dataDir);
    process.exit(interrupt.exitCode());
  });
  const startedAt = performance.now();
  await generateIfChanged(root, process.env, say);
  if (interrupt.signal.aborted) return interrupt.exitCode();
  const print = createPrinter(readServices(root).map(({ name }) => name));
  const { WEFT_LAUNCHER: launcher } = process.env;
  let announced = false;
  const stack = await startStack({
    root,
    dataDir,
    ports: "dev",
    watch: true,
    awaitReady: false,
    cluster: values.cluster === true,
    say: (text) => print("weft", text),
    onLine: (service, line) => print(service, line),
    onState(service, state, { retryMs }) {
      if (state === "crashed")
        print("weft", `${service} ended; starting it again in ${retryMs} ms or when its code changes`);
      if (state === "ready" && announced) print("weft", `${service} is ready`);
    },
    ...(values.only !== undefined && { services: values.only.split(",").map((name) => name.trim()) }),
    ...(launcher !== undefined && { launcherPid: Number(launcher) }),
  });
  const alive = setInterval(() => {}, 1 << 30);
  const stopped = new Promise<void>((resolve) => {
    if (interrupt.signal.aborted) resolve();
    interrupt.signal.addEventListener("abort", () => resolve(), { once: true });
  });
  const ready = Promise.all(stack.services.map((service) => service.ready)).then(() => {
    announced = true;
    const seconds = ((performance.now() - startedAt) / 1_000).toFixed(1);
    process.stdout.write(`${stackTable(stack)}\n`);
    print("weft", `ready in ${seconds} s; Ctrl-C stops everything`);
  });
  const slow = setTimeout(() => {
    const waiting = stack.services.filter(({ state }) => state !== "ready").map(({ name }) => name);
    if (waiting.length > 0) print("weft", `still waiting for ${waiting.join(", ")}`);
  }, 20_000);
  await Promise.race([stopped, ready.then(() => stopped)]);
  clearTimeout(slow);
  print("weft", "stopping; Ctrl-C again kills");
  await stack.close();
  clearInterval(alive);
  interrupt.dispose();
  // Ctrl-C is how it is meant to end.
  return 0;
}

function createPrinter(names: readonly string[]): (name: string, line: string) => void {
  const { FORCE_COLOR, NO_COLOR } = process.env;
  const forced = FORCE_COLOR !== undefined && FORCE_COLOR !== "0";
  const paint = createPaint(forced || (process.stdout.isTTY === true && !NO_COLOR));
  const width = Math.max(...["weft", ...names].map((name) => name.length));
  return (name, line) => {
    const colour = COLOURS[names.indexOf(name) % COLOURS.length];
    const prefix = paint(colour ?? "bold", `${name.padEnd(width)} |`);
    for (const text of prettyLine(parseLogLine(line), paint).split("\n")) process.stdout.write(`${prefix} ${text}\n`);
  };
}
