import { type Context, type ContextManager, context, ROOT_CONTEXT } from "@opentelemetry/api";
import { type CallContext, currentFrame, runInFrame, runWithCall } from "@weft/context";

/** OpenTelemetry's active context, kept in the frame that the call is kept in. */
class FrameContextManager implements ContextManager {
  active(): Context {
    return (currentFrame()?.trace as Context | undefined) ?? ROOT_CONTEXT;
  }

  with<A extends unknown[], F extends (...args: A) => ReturnType<F>>(
    context: Context,
    fn: F,
    thisArg?: ThisParameterType<F>,
    ...args: A
  ): ReturnType<F> {
    const frame = { call: currentFrame()?.call, trace: context === ROOT_CONTEXT ? undefined : context };
    return runInFrame(frame, () => fn.apply(thisArg, args));
  }

  bind<T>(context: Context, target: T): T {
    if (typeof target !== "function") return target;
    const bound = (...args: unknown[]): unknown => this.with(context, () => Reflect.apply(target, undefined, args));
    return bound as T;
  }

  enable(): this {
    return this;
  }

  disable(): this {
    return this;
  }
}

let isInstalled = false;

/** From now on OpenTelemetry's active context is kept in the call's frame, unless the program has set a context manager of its own before. */
export function installFrames(): void {
  isInstalled = context.setGlobalContextManager(new FrameContextManager()) || isInstalled;
}

/** Runs `work`, and all that it awaits, for `call` and with `trace` active. */
export function runTraced<T>(call: CallContext, trace: Context, work: () => T): T {
  if (isInstalled) return runInFrame({ call, trace }, work);
  return context.with(trace, () => runWithCall(call, work));
}
