import { startEphemeralInfrastructure } from "../ephemeral.ts";
import { runForeground } from "../foreground.ts";
import { onInterrupt } from "../interrupt.ts";

/**
 * `weft infra`: prints the variables of infrastructure that lives until Ctrl-C, as shell exports.
 * `weft infra -- command…`: runs a command with them instead; its exit code is this one's.
 */
export async function infra(root: string, args: readonly string[], say: (text: string) => void): Promise<number> {
  const command = args[0] === "--" ? args.slice(1) : args;
  let abandon = () => process.exit(130);
  const interrupt = onInterrupt(() => abandon());
  const infrastructure = await startEphemeralInfrastructure(root, process.env, say);
  abandon = () => {
    infrastructure.abandon();
    process.exit(130);
  };
  try {
    if (command.length > 0)
      return await runForeground(command, { ...process.env, ...infrastructure.env }, root, interrupt.signal);
    for (const [name, value] of Object.entries(infrastructure.env)) process.stdout.write(`export ${name}='${value}'\n`);
    if (!interrupt.signal.aborted) {
      const alive = setInterval(() => {}, 1 << 30);
      await new Promise<void>((resolve) => interrupt.signal.addEventListener("abort", () => resolve(), { once: true }));
      clearInterval(alive);
    }
    return 0;
  } finally {
    await infrastructure.stop();
    interrupt.dispose();
  }
}
