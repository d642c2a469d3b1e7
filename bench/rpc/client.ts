import { type Load, perform } from "./load.ts";
import { variants } from "./variants.ts";

// A client's process: performs one load after the other, and ends with whoever started it.
const [, , name = "", server = ""] = process.argv;
const peer = await variants[name]?.();
if (peer === undefined) throw new Error("which variant?");
process.on("disconnect", () => process.exit(0));
const client = await peer.connect(JSON.parse(server));
process.on("message", (load: Load) => {
  perform(client, load).then((measured) => process.send?.(measured));
});
process.send?.("ready");
