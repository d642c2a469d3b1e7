/** What a server and a client of one kind do, all of them the same. */
export interface Peer {
  /** Serves the users of `users.ts` on a free port of 127.0.0.1; `cert` is what a client over TLS is to trust. */
  serve(): Promise<{ readonly port: number; readonly cert?: string }>;
  connect(server: { readonly port: number; readonly cert?: string }): Promise<PeerClient>;
}

export interface PeerClient {
  /** Resolves with the user's e-mail address. What differs on each call travels with it, as the peer's way is. */
  getUser(userId: string, call: CallContext): Promise<string>;
  /** Reads a stream of so many messages of 1 KiB, and resolves with how many came. */
  exportUsers?(count: number): Promise<number>;
  /** Sends an octet string there and back, and resolves with its length. */
  storePicture?(picture: Uint8Array): Promise<number>;
  /** Begins a stream without end, and leaves it after a message. */
  abandonStream?(): Promise<void>;
}

export interface CallContext {
  /** W3C's. */
  readonly traceparent: string;
  readonly timeoutMs: number;
}
