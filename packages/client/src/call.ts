import type { DescMethod } from "@bufbuild/protobuf";
import type { Transport } from "@connectrpc/connect";
import type { MethodPolicy } from "@weft/policy";
import type { RpcResponse } from "@weft/rpc";

/** One call on its way down the stack. */
export interface Call {
  readonly method: DescMethod;
  /** `package.Service/Method`. */
  readonly scope: string;
  readonly policy: MethodPolicy;
  readonly header: Headers;
  /** Fires when the caller cancelled or the deadline passed; below the retry layer, when the attempt is given up. */
  readonly signal: AbortSignal;
  /** The clock's reading at which the call must have ended. */
  readonly deadline: number;
  /** Whether the call has all the time that its contract gives, and no caller with less left. */
  readonly fullTime: boolean;
  /** Counts from 1. */
  readonly attempt: number;
  /** Whether the request can be sent again: not when the caller still streams it. */
  readonly repeatable: boolean;
  /** Puts the call on a connection. */
  send(transport: Transport, header: Headers, timeoutMs: number, signal: AbortSignal): Promise<RpcResponse>;
}

export type Next = (call: Call) => Promise<RpcResponse>;

/** One layer of the stack; the first listed is outermost. */
export type Layer = (next: Next) => Next;

export function compose(layers: readonly Layer[], innermost: Next): Next {
  return layers.reduceRight((next, layer) => layer(next), innermost);
}
