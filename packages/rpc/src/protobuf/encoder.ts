import { type DescEnum, type DescField, type DescMessage, ScalarType } from "@bufbuild/protobuf";
import { FeatureSet_FieldPresence, isWrapperDesc } from "@bufbuild/protobuf/wkt";
import { Arena } from "./arena.ts";

/** Writes a field of a message. False when its value is one that is left to the library: of another type, or out of range. */
type FieldWriter = (message: Fields, arena: Arena) => boolean;
type ValueWriter = (value: unknown, arena: Arena) => boolean;
type Fields = Readonly<Record<string, unknown>>;

interface Encoder {
  readonly typeName: string;
  readonly fields: FieldWriter[];
}

const varint = 0;
const fixed64 = 1;
const lengthDelimited = 2;

const encoders = new Map<DescMessage, Encoder | undefined>();
const arena = new Arena();

/**
 * A message's octets, from the message or from what it is to be made of; undefined where the library has to encode it. Protobuf-ES's
 * writer allocates two buffers for each message, which takes longer than all that HTTP/2 and gRPC do with it. This one knows the plain
 * cases: scalars, enumerations, messages and lists of them. For maps, groups, wrappers and all values that are not as their type
 * has them, the library decides, also about its errors.
 */
export function encodePlain(schema: DescMessage, message: object): Uint8Array | undefined {
  const encoder = encoderOf(schema);
  // A message whose properties are made by a call of their own has the arena already.
  if (encoder === undefined || isWriting) return undefined;
  isWriting = true;
  try {
    arena.begin();
    return writeMessage(encoder, message as Fields, arena) ? arena.take() : undefined;
  } finally {
    isWriting = false;
  }
}

let isWriting = false;

function encoderOf(schema: DescMessage): Encoder | undefined {
  if (!encoders.has(schema)) {
    const encoder: Encoder = { typeName: schema.typeName, fields: [] };
    // Before its fields, since a message may contain itself.
    encoders.set(schema, encoder);
    const reached = new Map<DescMessage, Encoder>([[schema, encoder]]);
    if (!compile(schema, encoder, reached)) {
      for (const each of reached.keys()) encoders.delete(each);
      encoders.set(schema, undefined);
    }
  }
  return encoders.get(schema);
}

/** False when the message, or one that it may contain, has a field that is none of the plain ones. */
function compile(schema: DescMessage, encoder: Encoder, reached: Map<DescMessage, Encoder>): boolean {
  for (const field of schema.fields.toSorted((a, b) => a.number - b.number)) {
    const writer = fieldWriter(field, (message) => {
      const known = reached.get(message);
      if (known !== undefined) return known;
      const earlier = encoders.get(message);
      if (earlier !== undefined || encoders.has(message)) return earlier;
      const fresh: Encoder = { typeName: message.typeName, fields: [] };
      encoders.set(message, fresh);
      reached.set(message, fresh);
      return compile(message, fresh, reached) ? fresh : undefined;
    });
    if (writer === undefined) return false;
    encoder.fields.push(writer);
  }
  return true;
}

function writeMessage({ typeName, fields }: Encoder, message: Fields, arena: Arena): boolean {
  const { $typeName, $unknown } = message;
  if ($typeName !== undefined ? $typeName !== typeName : $unknown !== undefined) return false;
  for (let i = 0; i < fields.length; i++) if (!(fields[i] as FieldWriter)(message, arena)) return false;
  if ($unknown !== undefined) {
    for (const { no, wireType, data } of $unknown as readonly { no: number; wireType: number; data: Uint8Array }[]) {
      arena.varint32(((no << 3) | wireType) >>> 0);
      arena.octets(data);
    }
  }
  return true;
}

function fieldWriter(field: DescField, encoderOfMessage: (schema: DescMessage) => Encoder | undefined) {
  switch (field.fieldKind) {
    case "scalar":
    case "enum": {
      const value = scalarWriter(field);
      return value && singular(field, value.wireType, value.write);
    }
    case "message": {
      if (field.delimitedEncoding || isLocal(field.message) || (!field.oneof && isWrapperDesc(field.message))) return;
      const encoder = encoderOfMessage(field.message);
      return encoder && singular(field, lengthDelimited, (value, arena) => writeChild(encoder, value, arena));
    }
    case "list": {
      if (field.listKind === "message") {
        if (field.delimitedEncoding || isLocal(field.message)) return;
        const encoder = encoderOfMessage(field.message);
        return encoder && list(field, lengthDelimited, (value, arena) => writeChild(encoder, value, arena));
      }
      const value = scalarWriter(field);
      return value && (field.packed ? packed(field, value.write) : list(field, value.wireType, value.write));
    }
    default:
      return;
  }
}

/** Kept as JSON in the field of a message. */
function isLocal({ typeName }: DescMessage): boolean {
  return typeName === "google.protobuf.Struct" || typeName === "google.protobuf.Value";
}

function writeChild(encoder: Encoder, value: unknown, arena: Arena): boolean {
  if (typeof value !== "object" || value === null) return false;
  const start = arena.openLength();
  if (!writeMessage(encoder, value as Fields, arena)) return false;
  arena.closeLength(start);
  return true;
}

function singular(
  field: DescField & { readonly oneof?: { readonly localName: string } | undefined },
  wireType: number,
  write: ValueWriter,
): FieldWriter {
  const { localName, oneof } = field;
  const tag = tagOf(field, wireType);
  const writeTagged: ValueWriter = (value, arena) => {
    arena.varint32(tag);
    return write(value, arena);
  };
  if (oneof !== undefined) {
    return (message, arena) => {
      const chosen = message[oneof.localName] as { readonly case?: string; readonly value?: unknown } | undefined;
      if (chosen === undefined || chosen.case !== localName) return true;
      return writeTagged(chosen.value, arena);
    };
  }
  if (field.presence !== FeatureSet_FieldPresence.IMPLICIT) {
    const required = field.presence === FeatureSet_FieldPresence.LEGACY_REQUIRED;
    return (message, arena) => {
      const value = message[localName];
      // A message has its default values on its prototype.
      if (value === undefined || (message.$typeName !== undefined && !Object.hasOwn(message, localName)))
        return !required;
      return writeTagged(value, arena);
    };
  }
  const zero = zeroOf(field);
  return (message, arena) => {
    const value = message[localName];
    if (value === undefined || Object.is(value, zero)) return true;
    if (value instanceof Uint8Array && value.length === 0) return true;
    return writeTagged(value, arena);
  };
}

function zeroOf(field: DescField): unknown {
  if (field.fieldKind === "enum") return (field.enum as DescEnum).values[0]?.number;
  switch (field.fieldKind === "scalar" ? field.scalar : undefined) {
    case ScalarType.STRING:
      return "";
    case ScalarType.BOOL:
      return false;
    case ScalarType.INT64:
    case ScalarType.UINT64:
      return 0n;
    default:
      return 0;
  }
}

function list(field: DescField, wireType: number, write: ValueWriter): FieldWriter {
  const tag = tagOf(field, wireType);
  const { localName } = field;
  return (message, arena) => {
    const values = message[localName];
    if (values === undefined) return true;
    if (!Array.isArray(values)) return false;
    for (let i = 0; i < values.length; i++) {
      arena.varint32(tag);
      if (!write(values[i], arena)) return false;
    }
    return true;
  };
}

function packed(field: DescField, write: ValueWriter): FieldWriter {
  const tag = tagOf(field, lengthDelimited);
  const { localName } = field;
  return (message, arena) => {
    const values = message[localName];
    if (values === undefined) return true;
    if (!Array.isArray(values)) return false;
    if (values.length === 0) return true;
    arena.varint32(tag);
    const start = arena.openLength();
    for (let i = 0; i < values.length; i++) if (!write(values[i], arena)) return false;
    arena.closeLength(start);
    return true;
  };
}

function tagOf({ number }: DescField, wireType: number): number {
  return ((number << 3) | wireType) >>> 0;
}

/** Of the kinds that are common; the others are the library's. */
function scalarWriter(field: DescField): { readonly wireType: number; readonly write: ValueWriter } | undefined {
  switch ("scalar" in field && field.scalar !== undefined ? field.scalar : ScalarType.INT32) {
    case ScalarType.STRING:
      return { wireType: lengthDelimited, write: writeString };
    case ScalarType.BYTES:
      return { wireType: lengthDelimited, write: writeBytes };
    case ScalarType.BOOL:
      return { wireType: varint, write: writeBool };
    case ScalarType.INT32:
      return { wireType: varint, write: writeInt32 };
    case ScalarType.UINT32:
      return { wireType: varint, write: writeUint32 };
    case ScalarType.INT64:
      return { wireType: varint, write: writeInt64 };
    case ScalarType.UINT64:
      return { wireType: varint, write: writeUint64 };
    case ScalarType.DOUBLE:
      return { wireType: fixed64, write: writeDouble };
    default:
      return undefined;
  }
}

const writeString: ValueWriter = (value, arena) => {
  if (typeof value !== "string") return false;
  arena.text(value);
  return true;
};

const writeBytes: ValueWriter = (value, arena) => {
  if (!(value instanceof Uint8Array)) return false;
  arena.varint32(value.length);
  arena.octets(value);
  return true;
};

const writeBool: ValueWriter = (value, arena) => {
  if (typeof value !== "boolean") return false;
  arena.octet(value ? 1 : 0);
  return true;
};

const writeInt32: ValueWriter = (value, arena) => {
  if (typeof value !== "number" || (value | 0) !== value) return false;
  if (value >= 0) arena.varint32(value);
  else arena.varint64(value >>> 0, 0xffff_ffff);
  return true;
};

const writeUint32: ValueWriter = (value, arena) => {
  if (typeof value !== "number" || value >>> 0 !== value) return false;
  arena.varint32(value);
  return true;
};

const writeInt64: ValueWriter = (value, arena) => {
  if (typeof value !== "bigint" || BigInt.asIntN(64, value) !== value) return false;
  writeBits(BigInt.asUintN(64, value), arena);
  return true;
};

const writeUint64: ValueWriter = (value, arena) => {
  if (typeof value !== "bigint" || BigInt.asUintN(64, value) !== value) return false;
  writeBits(value, arena);
  return true;
};

/** Numbers up to 2^53 are split faster than bigints. */
function writeBits(value: bigint, arena: Arena): void {
  const number = Number(value);
  if (number <= Number.MAX_SAFE_INTEGER) arena.varint64(number >>> 0, Math.floor(number / 2 ** 32));
  else arena.varint64(Number(value & 0xffff_ffffn), Number(value >> 32n));
}

const writeDouble: ValueWriter = (value, arena) => {
  if (typeof value !== "number") return false;
  arena.double(value);
  return true;
};
