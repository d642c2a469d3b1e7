import type { DescService } from "@bufbuild/protobuf";
import type { ServiceImpl } from "@connectrpc/connect";
import type { MethodPolicy, ServicePolicies } from "@weft/policy";

/** A contract, its policies, and what answers its calls. */
export interface ServedService {
  readonly service: DescService;
  readonly policies: ServicePolicies;
  readonly implementation: Partial<ServiceImpl<DescService>>;
}

/** Binds an implementation to its contract. Every method must be there: a missing one is a type error. */
export function serve<S extends DescService>(
  service: S,
  policies: ServicePolicies,
  implementation: ServiceImpl<S>,
): ServedService {
  if (policies.service !== service.typeName) {
    throw new Error(
      `The policies of ${policies.service} were given for ${service.typeName}: import both from one contract.`,
    );
  }
  return { service, policies, implementation: implementation as Partial<ServiceImpl<DescService>> };
}

/** What the stack needs to know of a method, found by its full name. */
export interface ServedMethod {
  readonly scope: string;
  readonly policy: MethodPolicy;
}

/** The policies of all methods, by `/package.Service/Method`. */
export function policyIndex(services: readonly ServedService[]): ReadonlyMap<string, ServedMethod> {
  const index = new Map<string, ServedMethod>();
  for (const { service, policies } of services) {
    for (const method of service.methods) {
      const policy = policies.methods[method.localName];
      if (!policy) {
        throw new Error(
          `${service.typeName}.${method.name} has no policy: run \`buf generate\`, its table is older than its contract.`,
        );
      }
      const scope = `${service.typeName}/${method.name}`;
      index.set(scope, { scope, policy });
    }
  }
  return index;
}
