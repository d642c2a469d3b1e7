import { join } from "node:path";
import * as grpc from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import type { Peer, PeerClient } from "../rpc/peer.ts";
import { exportedPayload, findUser, type User } from "../rpc/users.ts";

interface Picture {
  readonly picture: Uint8Array;
}

type Answered<T> = (error: Error | null, answer?: T) => void;

interface UserClient {
  getUser(request: { userId: string }, metadata: grpc.Metadata, options: grpc.CallOptions, done: Answered<User>): void;
  exportUsers(request: { count: number }): grpc.ClientReadableStream<{ payload: Uint8Array }>;
  storePicture(request: Picture, done: Answered<Picture>): void;
}

interface Package {
  readonly weft: {
    readonly bench: {
      readonly v1: {
        readonly UserService: {
          new (address: string, credentials: grpc.ChannelCredentials, options?: grpc.ChannelOptions): UserClient;
          readonly service: grpc.ServiceDefinition;
        };
      };
    };
  };
}

const root = join(import.meta.dirname, "../..");
const proto = join(root, "bench/rpc/proto/weft/bench/v1/user_service.proto");

function load(): Package["weft"]["bench"]["v1"]["UserService"] {
  const definition = loadSync(proto, {
    keepCase: false,
    longs: Number,
    enums: String,
    defaults: true,
    oneofs: true,
    includeDirs: [join(root, "proto")],
  });
  return (grpc.loadPackageDefinition(definition) as unknown as Package).weft.bench.v1.UserService;
}

export function openUserClient(address: string, options: grpc.ChannelOptions = {}): UserClient {
  const UserService = load();
  return new UserService(address, grpc.credentials.createInsecure(), options);
}

export function getUserOf(client: UserClient): PeerClient["getUser"] {
  return (userId, { traceparent, timeoutMs }) => {
    const metadata = new grpc.Metadata();
    metadata.set("traceparent", traceparent);
    return new Promise((resolve, reject) => {
      client.getUser({ userId }, metadata, { deadline: Date.now() + timeoutMs }, (error, user) => {
        if (error) reject(error);
        else resolve(user?.email ?? "");
      });
    });
  };
}

/** As grpc.io/docs/languages/node: the contract by proto-loader, a server with callbacks, one channel. */
export const grpcJs: Peer = {
  async serve() {
    const server = new grpc.Server();
    server.addService(load().service, {
      getUser(call: grpc.ServerUnaryCall<{ userId: string }, User>, done: grpc.sendUnaryData<User>) {
        done(null, findUser(call.request.userId));
      },
      exportUsers(call: grpc.ServerWritableStream<{ count: number }, { payload: Uint8Array }>) {
        let left = call.request.count;
        const write = (): void => {
          while (left > 0) {
            left -= 1;
            if (!call.write({ payload: exportedPayload })) {
              call.once("drain", write);
              return;
            }
          }
          call.end();
        };
        write();
      },
      storePicture(call: grpc.ServerUnaryCall<Picture, Picture>, done: grpc.sendUnaryData<Picture>) {
        done(null, { picture: call.request.picture });
      },
    });
    const port = await new Promise<number>((resolve, reject) => {
      server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, bound) =>
        error ? reject(error) : resolve(bound),
      );
    });
    return { port };
  },
  async connect({ port }) {
    const client = openUserClient(`127.0.0.1:${port}`);
    return {
      getUser: getUserOf(client),
      exportUsers(count) {
        return new Promise((resolve, reject) => {
          let read = 0;
          client
            .exportUsers({ count })
            .on("data", () => {
              read += 1;
            })
            .on("error", reject)
            .on("end", () => resolve(read));
        });
      },
      storePicture(picture) {
        return new Promise((resolve, reject) => {
          client.storePicture({ picture }, (error, answer) => {
            if (error) reject(error);
            else resolve(answer?.picture.length ?? 0);
          });
        });
      },
    };
  },
};
