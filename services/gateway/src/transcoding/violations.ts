import type { DescField, DescMessage } from "@bufbuild/protobuf";
import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";
import type { ConnectError } from "@connectrpc/connect";
import type { FieldFault } from "./faults.ts";

/**
 * The fields that a server's `buf.validate.Violations` detail names, in JSON spelling. Only what REST tells is read: of
 * each violation its field (5) and message (3), of each step of a field's path its name (2), index (6) and key (7 to 10).
 */
export function violationsOf(error: ConnectError, input: DescMessage): readonly FieldFault[] {
  return error.details.flatMap((detail) => {
    if (!("type" in detail) || detail.type !== "buf.validate.Violations") return [];
    return fieldsIn(detail.value, 1).map((violation) => toFault(violation, input));
  });
}

function toFault(violation: Uint8Array, input: DescMessage): FieldFault {
  const [message] = fieldsIn(violation, 3);
  const steps = fieldsIn(violation, 5).flatMap((path) => fieldsIn(path, 1));
  const description = message === undefined ? "breaks a rule" : new TextDecoder().decode(message);
  return { field: spell(steps, input), description };
}

function spell(steps: readonly Uint8Array[], input: DescMessage): string {
  let at: DescMessage | undefined = input;
  let spelled = "";
  for (const step of steps) {
    const { name, subscript } = readStep(step);
    const field: DescField | undefined = at?.fields.find((each) => each.name === name);
    spelled += `${spelled === "" ? "" : "."}${field?.jsonName ?? name}${subscript === undefined ? "" : `[${subscript}]`}`;
    at = field?.message;
  }
  return spelled;
}

function readStep(bytes: Uint8Array): { readonly name: string; readonly subscript: string | undefined } {
  let name = "";
  let subscript: string | undefined;
  const reader = new BinaryReader(bytes);
  while (reader.pos < reader.len) {
    const [number, wireType] = reader.tag();
    if (number === 2) name = reader.string();
    else if (number === 6 || number === 9) subscript = String(reader.uint64());
    else if (number === 7) subscript = String(reader.bool());
    else if (number === 8) subscript = String(reader.sint64());
    else if (number === 10) subscript = JSON.stringify(reader.string());
    else reader.skip(wireType, number);
  }
  return { name, subscript };
}

/** Every length-delimited value of one field of an encoded message. */
function fieldsIn(bytes: Uint8Array, wanted: number): readonly Uint8Array[] {
  const found: Uint8Array[] = [];
  const reader = new BinaryReader(bytes);
  while (reader.pos < reader.len) {
    const [number, wireType] = reader.tag();
    if (number === wanted && wireType === WireType.LengthDelimited) found.push(reader.bytes());
    else reader.skip(wireType, number);
  }
  return found;
}
