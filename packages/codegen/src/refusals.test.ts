import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Contracts, compileContracts } from "./testing/compile-contracts.ts";

interface Case {
  readonly refuses: string;
  /** The option's body on a method that is neither idempotent nor keyed, from line 11 on. */
  readonly method?: string;
  readonly service?: string;
  readonly level?: "IDEMPOTENT";
  readonly event?: string;
  readonly signature?: string;
  readonly message: string;
}

const method = "probe.v1.Probe.Do";
const durationMend = (name: string) => `Give a duration such as {seconds: 1}, or leave ${name} out.`;

const cases: readonly Case[] = [
  {
    refuses: "retry on a method that is neither idempotent nor keyed",
    method: "retry: {max_attempts: 2}",
    message: `11: ${method}: retry on a method that is neither idempotent nor keyed could do its work twice. Add \`option idempotency_level = IDEMPOTENT;\` or \`idempotency_key: true\`, or take retry away.`,
  },
  {
    refuses: "hedge on a method that is neither idempotent nor keyed",
    method: "hedge: {delay: {seconds: 1}}",
    message: `11: ${method}: hedge on a method that is neither idempotent nor keyed could do its work twice. Add \`option idempotency_level = IDEMPOTENT;\` or \`idempotency_key: true\`, or take hedge away.`,
  },
  {
    refuses: "retry on a stream of requests",
    signature: "rpc Do(stream DoRequest) returns (DoResponse)",
    level: "IDEMPOTENT",
    method: "retry: {max_attempts: 2}",
    message: `11: ${method}: retry on a stream of requests, which can't be sent again. Take retry away.`,
  },
  {
    refuses: "an idempotency key on a stream",
    signature: "rpc Do(DoRequest) returns (stream DoResponse)",
    method: "idempotency_key: true",
    message: `11: ${method}: idempotency_key on a stream, whose responses are not stored. Make the method unary, or take idempotency_key away.`,
  },
  {
    refuses: "a timeout shorter than one attempt",
    level: "IDEMPOTENT",
    method: "timeout: {seconds: 1}, retry: {per_attempt_timeout: {seconds: 2}}",
    message: `11: ${method}: its timeout of 1000 ms is shorter than one attempt of 2000 ms. Raise timeout or lower retry.per_attempt_timeout.`,
  },
  {
    refuses: "a timeout shorter than one attempt of the service's",
    service: "retry: {per_attempt_timeout: {seconds: 2}}",
    level: "IDEMPOTENT",
    method: "timeout: {seconds: 1}",
    message: `11: ${method}: its timeout of 1000 ms is shorter than one attempt of 2000 ms. Raise timeout or lower retry.per_attempt_timeout.`,
  },
  {
    refuses: "a method whose name a client needs itself",
    signature: "rpc Policies(DoRequest) returns (DoResponse)",
    message:
      "10: probe.v1.Probe.Policies: a client's policies are read as `policies`, which the method would hide. Give the method another name, such as GetPolicies.",
  },
  {
    refuses: "a hash key that the request has not",
    level: "IDEMPOTENT",
    method: 'hash_key: "customer.id"',
    message: `11: ${method}: hash_key "customer.id" is no single value of DoRequest. Name a field of the request, such as "user_id" or "user.id"; not a list, a map, a message or bytes.`,
  },
  {
    refuses: "hedge without a delay",
    level: "IDEMPOTENT",
    method: "hedge: {max_attempts: 2}",
    message: `11: ${method}: hedge has no delay. Say when the second attempt starts, such as delay: {nanos: 50000000}.`,
  },
  {
    refuses: "an unknown code",
    service: 'retry: {codes: ["UNAVAILABLE", "Gone"]}',
    message:
      '9: probe.v1.Probe: retry.codes has "Gone", which is no gRPC code. Use names such as INTERNAL, UNAVAILABLE.',
  },
  {
    refuses: "a jitter above 1",
    level: "IDEMPOTENT",
    method: "retry: {jitter: 1.5}",
    message: `11: ${method}: retry.jitter is 1.5. Give a ratio between 0 and 1.`,
  },
  {
    refuses: "a negative jitter",
    level: "IDEMPOTENT",
    method: "retry: {jitter: -0.1}",
    message: `11: ${method}: retry.jitter is -0.1. Give a ratio between 0 and 1.`,
  },
  {
    refuses: "a multiplier that shrinks waits",
    level: "IDEMPOTENT",
    method: "retry: {multiplier: 0.5}",
    message: `11: ${method}: retry.multiplier is 0.5. Give 1 or more, so that waits never shrink.`,
  },
  {
    refuses: "a failure ratio above 1",
    method: "circuit_breaker: {failure_ratio: {ratio: 20, volume: 10, window: {seconds: 1}}}",
    message: `11: ${method}: circuit_breaker.failure_ratio.ratio is 20. Give a ratio above 0 and up to 1.`,
  },
  {
    refuses: "a failure ratio without a volume",
    method: "circuit_breaker: {failure_ratio: {ratio: 0.5, window: {seconds: 1}}}",
    message: `11: ${method}: circuit_breaker.failure_ratio has no volume. Say how many calls of a window are judged, such as volume: 20.`,
  },
  {
    refuses: "a failure ratio without a window",
    method: "circuit_breaker: {failure_ratio: {ratio: 0.5, volume: 10}}",
    message: `11: ${method}: circuit_breaker.failure_ratio has no window. Say over which time it is taken, such as window: {seconds: 10}.`,
  },
  {
    refuses: "a breaker that opens after no failure",
    method: "circuit_breaker: {consecutive_failures: 0}",
    message: `11: ${method}: circuit_breaker.consecutive_failures is 0. Give 1 or more, or leave it out for 5.`,
  },
  ...(
    [
      ["timeout", "timeout: {seconds: 0}"],
      ["timeout", "timeout: {seconds: -1}"],
      ["retry.per_attempt_timeout", "retry: {per_attempt_timeout: {}}"],
      ["retry.base_delay", "retry: {base_delay: {seconds: -1}}"],
      ["retry.max_delay", "retry: {max_delay: {nanos: -1}}"],
      ["hedge.delay", "hedge: {delay: {}}"],
      ["circuit_breaker.open_for", "circuit_breaker: {open_for: {}}"],
      [
        "circuit_breaker.failure_ratio.window",
        "circuit_breaker: {failure_ratio: {ratio: 0.5, volume: 10, window: {}}}",
      ],
      ["bulkhead.queue_timeout", 'bulkhead: {group: "g", max_concurrent: 1, queue_timeout: {}}'],
    ] as const
  ).map(
    ([name, body]): Case => ({
      refuses: `a duration that is not above zero: ${body}`,
      level: "IDEMPOTENT",
      method: body,
      message: `11: ${method}: ${name} is not above zero. ${durationMend(name)}`,
    }),
  ),
  {
    refuses: "a duration that no timer holds",
    method: "timeout: {seconds: 2592000}",
    message: `11: ${method}: timeout is longer than a timer can be (about 24 days). ${durationMend("timeout")}`,
  },
  {
    refuses: "a bulkhead group with two sizes",
    service: 'bulkhead: {group: "g", max_concurrent: 1}',
    method: 'bulkhead: {group: "g", max_concurrent: 2}',
    message: `11: ${method}: bulkhead group "g" has two sizes: 1 at once and 0 queued elsewhere in the file, 2 at once and 0 queued here. Give its sizes once and only its name elsewhere, or name another group.`,
  },
  {
    refuses: "a bulkhead group whose sizes nobody gives",
    method: 'bulkhead: {group: "g"}',
    message: `11: ${method}: nothing in the file gives the sizes of bulkhead group "g". Add max_concurrent and max_queue here or where the group is named first.`,
  },
  {
    refuses: "a bulkhead that lets nothing run",
    method: 'bulkhead: {group: "g", max_queue: 1}',
    message: `11: ${method}: bulkhead group "g" has no max_concurrent. Say how many of its calls run at once, such as max_concurrent: 20.`,
  },
  {
    refuses: "a bulkhead without a group",
    method: "bulkhead: {max_concurrent: 1}",
    message: `11: ${method}: its bulkhead has no group. Name one, such as group: "user_queries".`,
  },
  {
    refuses: "an event without a key",
    event: "{}",
    message: '16: probe.v1.Happened: the event has no key. Name the field that orders it, such as key: "order_id".',
  },
  {
    refuses: "an event whose key is no field",
    event: '{key: "order"}',
    message:
      '16: probe.v1.Happened: its key "order" is no field of it. Name one of its fields: id, ids, at, chosen, count.',
  },
  ...["ids", "at", "chosen", "count"].map(
    (key): Case => ({
      refuses: `an event whose key can't order: ${key}`,
      event: `{key: "${key}"}`,
      message: `16: probe.v1.Happened: its key "${key}" can't order events. Name a string or integer field that is neither repeated nor in a oneof.`,
    }),
  ),
];

function contractOf({ service, method, level, event, signature }: Case): string {
  return `syntax = "proto3";
package probe.v1;

import "google/protobuf/timestamp.proto";
import "weft/events/v1/events.proto";
import "weft/policy/v1/policy.proto";

service Probe {
  ${service === undefined ? "" : `option (weft.policy.v1.service) = {${service}};`}
  ${signature ?? "rpc Do(DoRequest) returns (DoResponse)"} {
    ${method === undefined ? "" : `option (weft.policy.v1.method) = {${method}};`}
    ${level === undefined ? "" : `option idempotency_level = ${level};`}
  }
}
message Happened {
  ${event === undefined ? "" : `option (weft.events.v1.event) = ${event};`}
  string id = 1;
  repeated string ids = 2;
  google.protobuf.Timestamp at = 3;
  oneof either {
    string chosen = 4;
  }
  double count = 5;
}
message DoRequest {}
message DoResponse {}
`;
}

describe("protoc-gen-weft refuses", () => {
  let contracts: Contracts;
  beforeAll(() => {
    // A folder a case, each with a package of its own, so that one run of buf compiles them all.
    const files = cases.map((each, i) => [
      `p${i}/probe.proto`,
      contractOf(each).replace("probe.v1;", `p${i}.probe.v1;`),
    ]);
    contracts = compileContracts(Object.fromEntries(files));
  });
  afterAll(() => contracts.remove());

  it.each(cases.map((each, i) => ({ ...each, file: `p${i}/probe.proto`, folder: `p${i}` })))(
    "$refuses",
    ({ file, folder, message }) => {
      const { error, file: files } = contracts.generate(file);
      expect(error).toBe(`${file}:${message.replace("probe.v1.", `${folder}.probe.v1.`)}`);
      expect(files).toEqual([]);
    },
  );

  it("and says all that is wrong at once, through buf generate", () => {
    const wrong = ["timeout: {}", "bulkhead: {}"].join(", ");
    contracts.write("p0/probe.proto", contractOf({ refuses: "", method: wrong, event: "{}", message: "" }));
    contracts.write(
      "buf.gen.yaml",
      "version: v2\ninputs: [{directory: ., paths: [p0]}]\nplugins: [{local: protoc-gen-weft, out: gen, opt: [target=ts]}]\n",
    );
    const run = () => contracts.buf("generate");
    expect(run).toThrow(/p0\/probe\.proto:11: probe\.v1\.Probe\.Do: timeout is not above zero/);
    expect(run).toThrow(/p0\/probe\.proto:11: probe\.v1\.Probe\.Do: its bulkhead has no group/);
    expect(run).toThrow(/p0\/probe\.proto:16: probe\.v1\.Happened: the event has no key/);
  });
});
