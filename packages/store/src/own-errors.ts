const own = new WeakSet<Error>();

/** Whether a pool or a connection of this package failed with it. Codes alone can't tell: a handler's own HTTP call is refused with the same one. */
export function isOwnError(error: Error): boolean {
  return own.has(error);
}

/** The pool or connection, which from now on marks the errors that these methods fail with. */
export function markErrors<T extends object>(target: T, ...methods: readonly (keyof T & string)[]): T {
  for (const method of methods) {
    const call = target[method] as (...args: unknown[]) => unknown;
    const value = (...args: unknown[]): unknown => {
      const callback = args.at(-1);
      if (typeof callback === "function") {
        args[args.length - 1] = (error: unknown, ...rest: unknown[]) => callback(markError(error), ...rest);
      }
      const result = call.apply(target, args);
      return result instanceof Promise ? result.catch((error: unknown) => Promise.reject(markError(error))) : result;
    };
    Object.defineProperty(target, method, { value, configurable: true, writable: true });
  }
  return target;
}

export function markError(error: unknown): unknown {
  if (error instanceof Error) own.add(error);
  return error;
}
