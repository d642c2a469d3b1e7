import { create, toBinary } from "@bufbuild/protobuf";
import { AnySchema, BytesValueSchema, FileDescriptorProtoSchema, StringValueSchema } from "@bufbuild/protobuf/wkt";
import { expect, it } from "vitest";
import { binaryCodec } from "./codec.ts";

/** Octets as a socket brings them: a small piece of much. */
function within(message: Uint8Array): Uint8Array {
  const chunk = new Uint8Array(65_536);
  chunk.set(message, 100);
  return Buffer.from(chunk.buffer, 100, message.length);
}

it("an octet string that is kept doesn't keep what it came with", () => {
  const value = Uint8Array.of(1, 2, 3);
  const bytes = binaryCodec(BytesValueSchema).read(
    within(toBinary(BytesValueSchema, create(BytesValueSchema, { value }))),
  );
  expect([...bytes.value]).toEqual([1, 2, 3]);
  expect(bytes.value.buffer.byteLength).toBeLessThan(100);
  const any = binaryCodec(AnySchema).read(within(toBinary(AnySchema, create(AnySchema, { typeUrl: "x", value }))));
  expect(any.value.buffer.byteLength).toBeLessThan(100);
});

it("messages without octet strings, and those that contain themselves, are read as they are", () => {
  const text = toBinary(StringValueSchema, create(StringValueSchema, { value: "text" }));
  expect(binaryCodec(StringValueSchema).read(within(text)).value).toBe("text");
  const file = toBinary(FileDescriptorProtoSchema, create(FileDescriptorProtoSchema, { name: "a.proto" }));
  expect(binaryCodec(FileDescriptorProtoSchema).read(within(file)).name).toBe("a.proto");
});
