/** What the inbox calls a service's consumer of a stream. */
export function consumerName(service: string, stream: string): string {
  return `${service}/${stream}`;
}
