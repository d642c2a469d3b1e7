import { isIP } from "node:net";
import { InvalidRegistrationError } from "./errors.ts";
import type { Registration } from "./registry.ts";

/** The most that an instance may say of itself: every watcher holds it for every instance. */
export const maxMetadataBytes = 4096;

/** How much more than another one an instance may say that it takes. */
const maxWeight = 1_000;

const serviceName = /^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*$/;
const instanceId = /^[A-Za-z0-9._:@-]{1,128}$/;
const hostName =
  /^(?=.{1,253}$)[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?(\.[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?)*\.?$/;

/** Throws InvalidRegistrationError for what no client could use, or what would burden them all. */
export function validateRegistration(registration: Registration): void {
  const { service, instance, host, port, metadata } = registration;
  if (!serviceName.test(service) || service.length > 256) {
    throw new InvalidRegistrationError(
      `service ${JSON.stringify(service)} is not a proto full name; expected something like "shop.user.v1.UserService"`,
    );
  }
  if (!instanceId.test(instance)) {
    throw new InvalidRegistrationError(
      `instance ${JSON.stringify(instance)} must be 1 to 128 letters, digits or any of . _ : @ -`,
    );
  }
  const objection = objectionToHost(host);
  if (objection !== undefined) {
    throw new InvalidRegistrationError(
      `host ${JSON.stringify(host)} ${objection}; set ADVERTISE_HOST to an address that clients can reach`,
    );
  }
  if (!Number.isInteger(port) || port < 1 || port > 65_535) {
    throw new InvalidRegistrationError(`port ${port} is not between 1 and 65535; register after the server listens`);
  }
  const objectionToPlace = objectionToMetadata(metadata);
  if (objectionToPlace !== undefined) throw new InvalidRegistrationError(objectionToPlace);
  const bytes = Buffer.byteLength(JSON.stringify(metadata));
  if (bytes > maxMetadataBytes) {
    throw new InvalidRegistrationError(`metadata is ${bytes} bytes as JSON; at most ${maxMetadataBytes} are allowed`);
  }
}

/** Balancers reckon with these. */
function objectionToMetadata({ weight, zone }: Registration["metadata"]): string | undefined {
  if (weight !== undefined && !(typeof weight === "number" && weight > 0 && weight <= maxWeight))
    return `metadata.weight is ${JSON.stringify(weight)}; it must be a number above 0 and up to ${maxWeight}`;
  if (zone !== undefined && typeof zone !== "string")
    return `metadata.zone is ${JSON.stringify(zone)}; it must be a string`;
  return undefined;
}

function objectionToHost(host: string): string | undefined {
  switch (isIP(host)) {
    case 4:
      return objectionToIPv4(host);
    case 6:
      return objectionToIPv6(host);
    default:
      return hostName.test(host) && !/^[\d.]+$/.test(host) ? undefined : "is neither an IP address nor a host name";
  }
}

function objectionToIPv4(address: string): string | undefined {
  const [first = 0, second = 0] = address.split(".").map(Number);
  if (first === 0) return "is a wildcard address";
  if (first === 169 && second === 254) return "is a link-local address";
  if (first >= 224) return "is a multicast, reserved or broadcast address";
  return undefined;
}

function objectionToIPv6(address: string): string | undefined {
  // The URL parser gives the canonical form: lower case, zeros compressed, embedded IPv4 in hex.
  const canonical = new URL(`http://[${address.split("%")[0]}]`).hostname.slice(1, -1);
  if (canonical === "::") return "is a wildcard address";
  if (address.includes("%") || /^fe[89ab]/.test(canonical)) return "is a link-local address";
  if (canonical.startsWith("ff")) return "is a multicast address";
  const mapped = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(canonical);
  if (mapped === null) return undefined;
  const bits = Number.parseInt(mapped[1] ?? "", 16) * 65_536 + Number.parseInt(mapped[2] ?? "", 16);
  return objectionToIPv4([bits >>> 24, (bits >>> 16) & 255, (bits >>> 8) & 255, bits & 255].join("."));
}
