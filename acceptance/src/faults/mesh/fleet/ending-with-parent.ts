import { existsSync } from "node:fs";

const setpriv = "/usr/bin/setpriv";

/** A command whose process the kernel kills when this one is gone, where it can be told so: one that stands still hears of nothing else. */
export function endingWithParent(command: readonly string[]): readonly string[] {
  return existsSync(setpriv) ? [setpriv, "--pdeathsig", "KILL", "--", ...command] : command;
}
