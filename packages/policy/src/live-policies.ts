import { objectionsTo } from "./check-policies.ts";
import type { MethodPolicy, ServicePolicies } from "./method-policy.ts";

/** The policies of a service, which can be replaced while calls are made. */
export interface LivePolicies {
  readonly current: ServicePolicies;
  /** Calls that begin from now on follow `next`; those under way keep theirs. Throws InvalidPoliciesError and changes nothing where `next` can't be followed. */
  replace(next: ServicePolicies): void;
  /** The same with something else for one method, as the client names it (`getUser`). Throws when there is none of that name, too. */
  change(method: string, to: Partial<MethodPolicy>): void;
  /** Calls `listener` after each change, until the function that it returns is called. */
  onChange(listener: (current: ServicePolicies) => void): () => void;
}

/** A policy can't be followed. The message names each method and what is wrong with it. */
export class InvalidPoliciesError extends Error {
  override readonly name = "InvalidPoliciesError";
}

export function isInvalidPolicies(error: unknown): error is InvalidPoliciesError {
  return error instanceof InvalidPoliciesError;
}

/** `objections`: what else is wrong with policies that are to take the place of those of now, a line each. */
export function livePolicies(
  contract: ServicePolicies,
  objections: (next: ServicePolicies) => readonly string[] = () => [],
): LivePolicies {
  const listeners = new Set<(current: ServicePolicies) => void>();
  let current = contract;
  const replace = (next: ServicePolicies): void => {
    const wrong = [...objectionsTo(next, contract), ...objections(next).map((line) => `  ${line}`)];
    if (wrong.length > 0)
      throw new InvalidPoliciesError(`The policies of ${contract.service} stay as they are:\n${wrong.join("\n")}`);
    current = next;
    for (const listener of [...listeners]) listener(current);
  };
  return {
    get current() {
      return current;
    },
    replace,
    change: (method, to) => replace(withMethod(current, method, to)),
    onChange(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}

function withMethod(policies: ServicePolicies, method: string, to: Partial<MethodPolicy>): ServicePolicies {
  const before = Object.hasOwn(policies.methods, method) ? policies.methods[method] : undefined;
  if (before === undefined)
    throw new InvalidPoliciesError(
      `${policies.service} has no method ${method}: it has ${Object.keys(policies.methods).join(", ")}.`,
    );
  return { ...policies, methods: { ...policies.methods, [method]: { ...before, ...to } } };
}
