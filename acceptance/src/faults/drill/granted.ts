import { MixinSchema } from "@bufbuild/protobuf/wkt";
import type { EventType } from "@weft/events";

/**
 * The one event of the drill: a wish was granted. `name` is its key, `root` the attempt that granted it. A well-known
 * type will do for a contract, since what is tried is its way and not its content.
 */
export const Granted: EventType<typeof MixinSchema> = {
  schema: MixinSchema,
  subject: "drill.v1.Granted",
  stream: "DRILL_V1",
  key: "name",
};

/** The service that consumes it: what its consumer's names begin with, at the broker and in the inbox. */
export const sinkName = "sink";
