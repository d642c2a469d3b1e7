import { type Load, perform } from "./load.ts";
import { variants } from "./variants.ts";

// A client's process: performs one load after the other over all of the servers.
const [, , name = "", ports = "[]"] = process.argv;
const getUser = await variants[name]?.(JSON.parse(ports));
if (getUser === undefined) throw new Error("which variant?");
process.on("disconnect", () => process.exit(0));
process.on("message", (load: Load) => {
  perform(getUser, load).then((measured) => process.send?.(measured));
});
process.send?.("ready");
