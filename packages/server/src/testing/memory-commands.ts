import type { CommandStore } from "../index.ts";

/** The contract of CommandStore over a map, with leases that a test ends. */
export function createMemoryCommands() {
  const commands = new Map<
    string,
    { hash: string; claim: bigint; response: Uint8Array | undefined; expired: boolean }
  >();
  let claims = 0n;
  const id = ({ scope, key }: { scope: string; key: string }): string => `${scope} ${key}`;
  const store: CommandStore = {
    async claim(command) {
      const hash = Buffer.from(command.requestHash).toString("hex");
      const known = commands.get(id(command));
      if (known && known.hash !== hash) return { kind: "mismatch" };
      if (known?.response) return { kind: "stored", response: known.response };
      if (known && !known.expired) return { kind: "running" };
      claims += 1n;
      commands.set(id(command), { hash, claim: claims, response: undefined, expired: false });
      return { kind: "claimed", claim: claims };
    },
    async complete({ response, claim, ...command }) {
      const known = commands.get(id(command));
      if (known?.claim === claim) known.response = response;
    },
    async release({ claim, ...command }) {
      if (commands.get(id(command))?.claim === claim) commands.delete(id(command));
    },
  };
  return {
    store,
    /** As if the owners of all claims had died. */
    endLeases(): void {
      for (const command of commands.values()) command.expired = true;
    },
  };
}
