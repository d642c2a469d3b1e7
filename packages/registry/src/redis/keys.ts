/** The keys of one service. The braces put them into one hash slot, so that one script may touch them all on a Cluster. */
export function keysOf(service: string): [leases: string, instances: string, version: string, log: string] {
  const prefix = `weft:{${service}}`;
  return [`${prefix}:leases`, `${prefix}:instances`, `${prefix}:version`, `${prefix}:log`];
}

/** Where a change of the service is hinted at. A hint may be lost; the version may not. */
export function channelOf(service: string): string {
  return `weft:{${service}}:changes`;
}

/** Services by the time at which their entry expires, unless a beat renews it. */
export const servicesKey = "weft:services";
