import { ConnectionError } from "./http2-error.ts";
import { errorCode, frameType } from "./protocol.ts";

interface FrameRule {
  readonly name: string;
  readonly on: "a stream" | "stream 0" | "either";
  readonly fits: (length: number) => boolean;
}

const any = (): boolean => true;

/** RFC 9113 section 6. */
const rules: Readonly<Record<number, FrameRule>> = {
  [frameType.data]: { name: "DATA", on: "a stream", fits: any },
  [frameType.headers]: { name: "HEADERS", on: "a stream", fits: any },
  [frameType.priority]: { name: "PRIORITY", on: "a stream", fits: (length) => length === 5 },
  [frameType.rstStream]: { name: "RST_STREAM", on: "a stream", fits: (length) => length === 4 },
  [frameType.settings]: { name: "SETTINGS", on: "stream 0", fits: (length) => length % 6 === 0 },
  [frameType.ping]: { name: "PING", on: "stream 0", fits: (length) => length === 8 },
  [frameType.goaway]: { name: "GOAWAY", on: "stream 0", fits: (length) => length >= 8 },
  [frameType.windowUpdate]: { name: "WINDOW_UPDATE", on: "either", fits: (length) => length === 4 },
  [frameType.continuation]: { name: "CONTINUATION", on: "a stream", fits: any },
};

/** Throws ConnectionError for a frame whose length or stream its kind may not have. Kinds that nobody here knows may have any. */
export function checkFrameHead(type: number, length: number, stream: number): void {
  if (type === frameType.pushPromise)
    throw new ConnectionError(errorCode.protocolError, "PUSH_PROMISE, though pushes are switched off");
  const rule = rules[type];
  if (rule === undefined) return;
  if (rule.on !== "either" && (stream === 0) !== (rule.on === "stream 0"))
    throw new ConnectionError(errorCode.protocolError, `${rule.name} on stream ${stream}: it belongs to ${rule.on}`);
  if (!rule.fits(length)) throw new ConnectionError(errorCode.frameSizeError, `${rule.name} of ${length} octets`);
}
