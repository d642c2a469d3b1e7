import {
  type ConnectRouter,
  type ConnectRouterOptions,
  createConnectRouter,
  createMethodImplSpec,
  createServiceImplSpec,
  type MethodImplSpec,
} from "@connectrpc/connect";
import type { UniversalHandler } from "@connectrpc/connect/protocol";

/** What is served, as the two ways to it want it. */
export interface Routes {
  /** For the direct path of gRPC. */
  readonly specs: readonly MethodImplSpec[];
  /** For the protocols that Connect's handlers speak, by path. */
  readonly universal: ReadonlyMap<string, UniversalHandler>;
}

/** Registers the routes once, for both. */
export function collectRoutes(register: (router: ConnectRouter) => void, options: ConnectRouterOptions): Routes {
  const connect = createConnectRouter({ ...options, grpc: false });
  const specs: MethodImplSpec[] = [];
  const both: ConnectRouter = {
    handlers: connect.handlers,
    service(service, implementation, serviceOptions) {
      specs.push(...Object.values(createServiceImplSpec(service, implementation).methods));
      connect.service(service, implementation, withoutGrpc(serviceOptions));
      return both;
    },
    rpc(method, implementation, methodOptions) {
      specs.push(createMethodImplSpec(method, implementation));
      connect.rpc(method, implementation, withoutGrpc(methodOptions));
      return both;
    },
  };
  register(both);
  return { specs, universal: new Map(connect.handlers.map((handler) => [handler.requestPath, handler])) };
}

/** Options of its own replace the router's. */
function withoutGrpc(options: Partial<ConnectRouterOptions> | undefined): Partial<ConnectRouterOptions> | undefined {
  return options && { ...options, grpc: false };
}
