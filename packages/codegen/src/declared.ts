import { type DescFile, type DescMethod, type DescService, getOption, hasOption } from "@bufbuild/protobuf";
import { type MethodPolicy, method as methodOption, service as serviceOption } from "@weft/contracts";
import { placeOfMethod, placeOfService } from "./places.ts";
import type { Place } from "./refusal.ts";

/** A policy as a contract says it, before defaults. */
export interface DeclaredPolicy {
  readonly policy: MethodPolicy;
  /** What the service says to a method's declaration. */
  readonly inherited: MethodPolicy | undefined;
  readonly place: Place;
}

export function servicePolicy(service: DescService): MethodPolicy | undefined {
  return hasOption(service, serviceOption) ? getOption(service, serviceOption) : undefined;
}

export function methodPolicy(method: DescMethod): MethodPolicy | undefined {
  return hasOption(method, methodOption) ? getOption(method, methodOption) : undefined;
}

/** Every policy that the file declares, in its order: a service's before its methods'. */
export function* declaredPolicies(file: DescFile): Iterable<DeclaredPolicy> {
  for (const service of file.services) {
    const inherited = servicePolicy(service);
    if (inherited) yield { policy: inherited, inherited: undefined, place: placeOfService(service) };
    for (const method of service.methods) {
      const policy = methodPolicy(method);
      if (policy) yield { policy, inherited, place: placeOfMethod(method) };
    }
  }
}
