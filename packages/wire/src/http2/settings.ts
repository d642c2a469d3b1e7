import { ConnectionError } from "./http2-error.ts";
import { defaultMaxFrameSize, errorCode, largestFrameSize, largestWindow, setting } from "./protocol.ts";

/** One parameter of a SETTINGS frame: its number (`setting`, or one that nobody here knows) and its value. */
export type Setting = readonly [id: number, value: number];

/** Throws ConnectionError for a value that the parameter may not have (RFC 9113 section 6.5.2). */
export function checkSetting([id, value]: Setting): void {
  switch (id) {
    case setting.enablePush:
      if (value > 1) throw new ConnectionError(errorCode.protocolError, `ENABLE_PUSH is ${value}, not 0 or 1`);
      return;
    case setting.initialWindowSize:
      if (value > largestWindow)
        throw new ConnectionError(errorCode.flowControlError, `INITIAL_WINDOW_SIZE is ${value}, above 2^31-1`);
      return;
    case setting.maxFrameSize:
      if (value < defaultMaxFrameSize || value > largestFrameSize)
        throw new ConnectionError(errorCode.protocolError, `MAX_FRAME_SIZE is ${value}, not 2^14 to 2^24-1`);
      return;
  }
}
