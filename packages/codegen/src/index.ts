export { protocGenWeft } from "./plugin.ts";
