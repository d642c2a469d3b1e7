import { headers } from "@weft/context";

/**
 * Metadata that belongs to one connection, to the protocol, or to the mesh: it is made anew on each side. The mesh's own
 * names are its word about the caller, which nobody outside may speak.
 */
const ownToOneSide =
  /^(:.*|connection|keep-alive|proxy-.*|te|trailer|transfer-encoding|upgrade|host|date|server|vary|accept.*|content-.*|user-agent|origin|referer|cookie|set-cookie|sec-.*|access-control-.*|grpc-.*|connect-.*|traceparent|tracestate|baggage|x-forwarded-.*|x-weft-.*|x-request-timeout|x-user-agent|x-grpc-web)$/;

/** What a caller's metadata hands on to the service. */
export function inwardMetadata(from: Headers): Headers {
  return without(from, (name) => ownToOneSide.test(name) || name === headers.correlationId);
}

/** What a service's metadata hands on to the caller. */
export function outwardMetadata(from: Headers): Headers {
  return without(from, (name) => ownToOneSide.test(name));
}

/** Adds what may be handed on to a response's own metadata. */
export function copyOutward(from: Headers, to: Headers): void {
  for (const [name, value] of outwardMetadata(from)) to.set(name, value);
}

function without(from: Headers, dropped: (name: string) => boolean): Headers {
  return new Headers([...from].filter(([name]) => !dropped(name)));
}
