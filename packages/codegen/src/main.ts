import { runNodeJs } from "@bufbuild/protoplugin";
import { protocGenWeft } from "./plugin.ts";

runNodeJs(protocGenWeft);
