import type { DescMethod, Message } from "@bufbuild/protobuf";
import type { CallOptions } from "@connectrpc/connect";
import type { Mesh, ServedService } from "@weft/service";
import { outwardError } from "./outward-error.ts";

/** Calls any public method through the mesh. Errors are ConnectErrors that may be told outside. */
export interface Forwarder {
  /** Unary and client-streaming methods; `input` is the message, or the messages. */
  unary(method: DescMethod, input: Message | AsyncIterable<Message>, options: CallOptions): Promise<Message>;
  /** Server-streaming and bidirectional methods. */
  stream(method: DescMethod, input: Message | AsyncIterable<Message>, options: CallOptions): AsyncIterable<Message>;
}

export interface ForwarderOptions {
  readonly mesh: Pick<Mesh, "client">;
  readonly services: readonly Pick<ServedService, "service" | "policies">[];
  /** Hears of every error whose own words stay inside. */
  readonly onHidden: (method: DescMethod, error: unknown) => void;
}

/** A client's methods as the types of a contract that is known at run time alone: local name → call. */
type AnyClient = Readonly<Record<string, (input: unknown, options: CallOptions) => unknown>>;

export function createForwarder({ mesh, services, onHidden }: ForwarderOptions): Forwarder {
  const clients = new Map(
    services.map(({ service, policies }) => [service.typeName, mesh.client(service, policies) as AnyClient]),
  );
  const invoke = (method: DescMethod, input: unknown, options: CallOptions): unknown => {
    const call = clients.get(method.parent.typeName)?.[method.localName];
    if (call === undefined) throw new Error(`${method.parent.typeName}/${method.name} is not public`);
    return call(input, options);
  };
  const outward = (method: DescMethod, error: unknown): unknown =>
    outwardError(error, (hidden) => onHidden(method, hidden));
  return {
    async unary(method, input, options) {
      try {
        return (await invoke(method, input, options)) as Message;
      } catch (error) {
        throw outward(method, error);
      }
    },
    async *stream(method, input, options) {
      try {
        yield* invoke(method, input, options) as AsyncIterable<Message>;
      } catch (error) {
        throw outward(method, error);
      }
    },
  };
}
