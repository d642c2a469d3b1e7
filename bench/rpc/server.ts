import { variants } from "./variants.ts";

// A server's process: says where it listens, and ends with whoever started it.
const peer = await variants[process.argv[2] ?? ""]?.();
if (peer === undefined) throw new Error("which variant?");
process.on("disconnect", () => process.exit(0));
process.send?.(await peer.serve());
