import { describe, expect, it } from "vitest";
import { createPaint, parseLogLine, prettyLine, readyAddresses } from "./log-line.ts";

const plain = createPaint(false);

describe("a line of a service", () => {
  it("shows its message and the fields that say more", () => {
    const line = parseLogLine('{"level":40,"time":0,"pid":7,"service":"order","msg":"slow","order_id":"o1","ms":12}');
    expect(prettyLine(line, plain)).toBe("00:00:00.000 WARN slow order_id=o1 ms=12");
  });

  it("shows an error's stack on lines of its own", () => {
    const line = parseLogLine('{"level":"error","msg":"failed","err":{"message":"no","stack":"Error: no\\n  at x"}}');
    expect(prettyLine(line, plain)).toBe("ERROR failed\nError: no\n  at x");
  });

  it("passes on what is no log as it is", () => {
    for (const text of ["plain text", "{broken", '{"json":"without msg"}'])
      expect(prettyLine(parseLogLine(text), plain)).toBe(text);
  });

  it("tells the addresses when it says ready, one or several", () => {
    expect(
      readyAddresses(parseLogLine('{"level":"info","msg":"ready","address":"127.0.0.1:71","instance":"a-1"}')),
    ).toEqual({
      address: "127.0.0.1:71",
    });
    const gateway = '{"level":30,"msg":"ready","http":"http://127.0.0.1:8080","addresses":{"grpc":"127.0.0.1:9090"}}';
    expect(readyAddresses(parseLogLine(gateway))).toEqual({ http: "127.0.0.1:8080", grpc: "127.0.0.1:9090" });
    expect(readyAddresses(parseLogLine('{"level":30,"msg":"not yet","address":"127.0.0.1:71"}'))).toBeUndefined();
  });
});
