import type { GeneratedFile } from "@bufbuild/protoplugin";
import type { Event } from "./events.ts";
import { streamOf } from "./names.ts";

/** An event type: a value to publish and subscribe with, and the type of its messages under the same name. */
export function printEvent(f: GeneratedFile, { message, key }: Event): void {
  const shape = f.importShape(message);
  const schema = f.importSchema(message);
  const EventType = f.import("EventType", "@weft/events", true);
  f.print(f.jsDoc(`Events of one \`${key.name}\` arrive in the order in which they were committed.`));
  f.print(f.export("const", shape.name), ": ", EventType, "<typeof ", schema, "> = {");
  f.print("  schema: ", schema, ",");
  f.print("  subject: ", f.string(message.typeName), ",");
  f.print("  stream: ", f.string(streamOf(message.file)), ",");
  f.print("  key: ", f.string(key.localName), ",");
  f.print("};");
  f.print(f.export("type", shape.name), " = ", shape, ";");
  f.print();
}
