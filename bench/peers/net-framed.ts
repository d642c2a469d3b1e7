import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  ExportUsersRequestSchema,
  ExportUsersResponseSchema,
  GetUserRequestSchema,
  GetUserResponseSchema,
  StorePictureRequestSchema,
  StorePictureResponseSchema,
} from "../rpc/gen/weft/bench/v1/user_service_pb.ts";
import type { Peer } from "../rpc/peer.ts";
import { exportedPayload, findUser } from "../rpc/users.ts";

/** Length, number of the call, kind, and for a call the length of what travels with it. */
const headBytes = 10;
const kind = { getUser: 0, exportUsers: 1, storePicture: 2, end: 3 } as const;
const none = Buffer.alloc(0);

/**
 * Protobuf behind a length on a bare socket, frames of one turn of the event loop in one write: nothing that a protocol needs, and so the
 * limit of what Node's sockets and the messages' encoding allow.
 */
function framed(socket: Socket, onFrame: (id: number, kind: number, context: Buffer, message: Buffer) => void) {
  let rest: Buffer = none;
  let queue: Buffer[] = [];
  socket.setNoDelay(true);
  socket.on("data", (chunk: Buffer) => {
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    let at = 0;
    while (bytes.length - at >= headBytes) {
      const end = at + 4 + bytes.readUInt32BE(at);
      if (bytes.length < end) break;
      const context = at + headBytes + (bytes[at + 9] as number);
      const body = bytes.subarray(context, end);
      onFrame(bytes.readUInt32BE(at + 4), bytes[at + 8] as number, bytes.subarray(at + headBytes, context), body);
      at = end;
    }
    rest = bytes.subarray(at);
  });
  return (id: number, what: number, context: Buffer, message: Uint8Array): void => {
    const head = Buffer.allocUnsafe(headBytes);
    head.writeUInt32BE(headBytes - 4 + context.length + message.length, 0);
    head.writeUInt32BE(id, 4);
    head[8] = what;
    head[9] = context.length;
    if (queue.length === 0) {
      setImmediate(() => {
        socket.write(Buffer.concat(queue));
        queue = [];
      });
    }
    queue.push(head, context, Buffer.from(message.buffer, message.byteOffset, message.length));
  };
}

export const netFramed: Peer = {
  async serve() {
    const server = createServer((socket) => {
      const send = framed(socket, (id, what, _context, message) => {
        if (what === kind.getUser) {
          const user = findUser(fromBinary(GetUserRequestSchema, message).userId);
          const answer = create(GetUserResponseSchema, { ...user, createdAtMillis: BigInt(user.createdAtMillis) });
          send(id, what, none, toBinary(GetUserResponseSchema, answer));
        } else if (what === kind.exportUsers) {
          const { count } = fromBinary(ExportUsersRequestSchema, message);
          for (let i = 0; i < count; i++) {
            const answer = create(ExportUsersResponseSchema, { payload: exportedPayload });
            send(id, what, none, toBinary(ExportUsersResponseSchema, answer));
          }
          send(id, kind.end, none, none);
        } else {
          const { picture } = fromBinary(StorePictureRequestSchema, message);
          send(id, what, none, toBinary(StorePictureResponseSchema, create(StorePictureResponseSchema, { picture })));
        }
      });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return { port: (server.address() as AddressInfo).port };
  },
  async connect({ port }) {
    const socket = connect({ host: "127.0.0.1", port });
    const calls = new Map<number, (what: number, message: Buffer) => void>();
    const send = framed(socket, (id, what, _context, message) => calls.get(id)?.(what, message));
    let last = 0;
    const call = (what: number, context: Buffer, message: Uint8Array): Promise<Buffer> =>
      new Promise((resolve) => {
        last += 1;
        const id = last;
        calls.set(id, (_, answer) => {
          calls.delete(id);
          resolve(answer);
        });
        send(id, what, context, message);
      });
    return {
      async getUser(userId, { traceparent, timeoutMs }) {
        const request = toBinary(GetUserRequestSchema, create(GetUserRequestSchema, { userId }));
        const answer = await call(kind.getUser, Buffer.from(`${timeoutMs} ${traceparent}`, "latin1"), request);
        return fromBinary(GetUserResponseSchema, answer).email;
      },
      exportUsers(count) {
        return new Promise((resolve) => {
          last += 1;
          const id = last;
          let read = 0;
          calls.set(id, (what, message) => {
            if (what === kind.end) {
              calls.delete(id);
              resolve(read);
              return;
            }
            fromBinary(ExportUsersResponseSchema, message);
            read += 1;
          });
          const request = create(ExportUsersRequestSchema, { count });
          send(id, kind.exportUsers, none, toBinary(ExportUsersRequestSchema, request));
        });
      },
      async storePicture(picture) {
        const request = create(StorePictureRequestSchema, { picture });
        const answer = await call(kind.storePicture, none, toBinary(StorePictureRequestSchema, request));
        return fromBinary(StorePictureResponseSchema, answer).picture.length;
      },
    };
  },
};
