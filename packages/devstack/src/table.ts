import type { Stack } from "./stack.ts";

interface Row {
  readonly service: string;
  readonly address: string;
  readonly suggestion: string;
}

/** The one table: service, address, what to try. A service with several addresses or suggestions takes several lines. */
export function stackTable(stack: Stack): string {
  const { nats, redis, postgres, mail, payments } = stack.infrastructure;
  const mailbox = stack.env.MAILBOX_URL;
  const rows = [
    ...stack.services.flatMap(serviceRows),
    ...(nats.nodes ?? [nats]).map(({ name, url }) => ({ service: name, address: hostOf(url), suggestion: "" })),
    { service: "redis", address: hostOf(redis.url), suggestion: "" },
    { service: "postgres", address: hostOf(postgres.url), suggestion: "" },
    { service: "mail", address: hostOf(mail.url), suggestion: mailbox === undefined ? "" : `curl ${mailbox}/messages` },
    { service: "payments", address: hostOf(payments.url), suggestion: `curl ${payments.url}/charges` },
  ];
  const heading = { service: "service", address: "address", suggestion: "what to try" };
  const width = (column: "service" | "address") => Math.max(...[heading, ...rows].map((row) => row[column].length));
  const line = ({ service, address, suggestion }: Row) =>
    `  ${service.padEnd(width("service"))}  ${address.padEnd(width("address"))}  ${suggestion}`.trimEnd();
  return ["", line(heading), ...rows.map(line), ""].join("\n");
}

function serviceRows({ name, addresses, description }: Stack["services"][number]): Row[] {
  const named = Object.entries(addresses);
  const places = named.map(([kind, address]) => (kind === "address" ? address : `${kind} ${address}`));
  const filled = description.suggestions.map((text) =>
    text.replace(/\{(\w+)\}/g, (all, kind: string) => addresses[kind] ?? all),
  );
  const grpc = addresses.grpc ?? addresses.address;
  const suggestions =
    filled.length > 0 || grpc === undefined
      ? filled
      : [`npx buf curl --protocol grpc --http2-prior-knowledge --list-methods http://${grpc}`];
  return Array.from({ length: Math.max(places.length, suggestions.length, 1) }, (_, index) => ({
    service: index === 0 ? name : "",
    address: places[index] ?? "",
    suggestion: suggestions[index] ?? "",
  }));
}

function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).host : url;
}
