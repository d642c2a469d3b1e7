import type { DescFile, DescService } from "@bufbuild/protobuf";

/** The names that are generated for a service, from the one it has in the contract. */
export interface ServiceNames {
  /** orderServicePolicies */
  readonly policies: string;
  /** createOrderClient */
  readonly client: string;
  /** stubOrderService */
  readonly stub: string;
}

export function namesOf({ name }: DescService): ServiceNames {
  const bare = name.endsWith("Service") && name !== "Service" ? name.slice(0, -"Service".length) : name;
  return {
    policies: `${name.charAt(0).toLowerCase()}${name.slice(1)}Policies`,
    client: `create${bare}Client`,
    stub: `stub${name}`,
  };
}

/** The JetStream stream of a package's events: SHOP_ORDER_V1. */
export function streamOf(file: DescFile): string {
  return file.proto.package.replaceAll(".", "_").toUpperCase();
}
