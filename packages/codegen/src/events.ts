import { type DescField, type DescFile, type DescMessage, getOption, hasOption, ScalarType } from "@bufbuild/protobuf";
import { event } from "@weft/contracts";
import { placeOfEvent } from "./places.ts";
import type { Refusal } from "./refusal.ts";

/** A message that leaves a service when something happened. */
export interface Event {
  readonly message: DescMessage;
  /** The field whose value orders events of this type. */
  readonly key: DescField;
}

export interface CollectedEvents {
  readonly events: readonly Event[];
  readonly refusals: readonly Refusal[];
}

/** Fields of these types make keys: their text form is exact and the same everywhere. */
const keyTypes: readonly ScalarType[] = [
  ScalarType.STRING,
  ScalarType.INT32,
  ScalarType.INT64,
  ScalarType.UINT32,
  ScalarType.UINT64,
  ScalarType.SINT32,
  ScalarType.SINT64,
  ScalarType.FIXED32,
  ScalarType.FIXED64,
  ScalarType.SFIXED32,
  ScalarType.SFIXED64,
];

export function collectEvents(file: DescFile): CollectedEvents {
  const events: Event[] = [];
  const refusals: Refusal[] = [];
  for (const message of messagesIn(file.messages)) {
    if (!hasOption(message, event)) continue;
    const place = placeOfEvent(message);
    const name = getOption(message, event).key;
    const key = message.fields.find((field) => field.name === name);
    if (name === "") {
      refusals.push({
        place,
        problem: "the event has no key",
        mend: 'Name the field that orders it, such as key: "order_id"',
      });
    } else if (key === undefined) {
      const fields = message.fields.map((field) => field.name).join(", ") || "none";
      refusals.push({
        place,
        problem: `its key "${name}" is no field of it`,
        mend: `Name one of its fields: ${fields}`,
      });
    } else if (key.fieldKind !== "scalar" || !keyTypes.includes(key.scalar) || key.oneof !== undefined) {
      refusals.push({
        place,
        problem: `its key "${name}" can't order events`,
        mend: "Name a string or integer field that is neither repeated nor in a oneof",
      });
    } else {
      events.push({ message, key });
    }
  }
  return { events, refusals };
}

function* messagesIn(messages: readonly DescMessage[]): Iterable<DescMessage> {
  for (const message of messages) {
    yield message;
    yield* messagesIn(message.nestedMessages);
  }
}
