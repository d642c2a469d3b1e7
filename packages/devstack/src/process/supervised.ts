import { type Child, type Exit, type Launch, startChild } from "./child.ts";
import type { Ledger } from "./ledger.ts";

export type State = "stopped" | "starting" | "ready" | "crashed";

/** What is known besides about a crash. */
export interface StateDetail {
  /** How the process ended by itself; absent when it could not be launched, or was ended since it never got ready. */
  readonly exit?: Exit;
  /** When it is started again; absent when it stays down. */
  readonly retryMs?: number;
}

/** A process that can be stopped, killed and started again, on the same addresses and data. */
export interface Supervised {
  readonly name: string;
  readonly pid: number | undefined;
  readonly state: State;
  /** Resolves when it serves; after a stop, kill or crash it is the next start's. */
  readonly ready: Promise<void>;
  /** Resolves when it serves; the same start for every caller. */
  start(): Promise<void>;
  /** Stops gracefully; resolves when the process is gone. It stays down until `start`. */
  stop(): Promise<void>;
  /** Sends a signal. After SIGKILL it resolves when the process is gone, and it stays down until `start`. */
  kill(signal?: NodeJS.Signals): Promise<void>;
}

export interface SupervisedOptions {
  readonly name: string;
  readonly launch: () => Launch | Promise<Launch>;
  /** Resolves when the process serves; the signal aborts when it is gone. */
  readonly serves: (child: Child, signal: AbortSignal) => Promise<void>;
  readonly ledger: Ledger;
  readonly stopSignal?: NodeJS.Signals;
  readonly stopTimeoutMs?: number;
  /** `always` also when it never served; `once-ready`: a start that fails rejects, later crashes are repaired. */
  readonly restart: "always" | "once-ready" | "never";
  /** A start that fails with such a message is tried again whatever `restart` says: what is in its way goes by itself. */
  readonly passing?: RegExp;
  readonly readyTimeoutMs?: number;
  /** One that has crashed may be started here at once. */
  readonly onState?: (state: State, detail: StateDetail) => void;
  /** What to add to the error of a failed start, e.g. the end of its log. */
  readonly explain?: () => string;
}

const BACKOFF = { firstMs: 250, maxMs: 10_000, healthyAfterMs: 10_000 };
const PASSING_ATTEMPTS = 6;

export function createSupervised(options: SupervisedOptions): Supervised {
  const { name, ledger, stopSignal = "SIGTERM", stopTimeoutMs = 10_000, onState = () => {} } = options;
  let state: State = "stopped";
  let child: Child | undefined;
  let wanted = false;
  let failures = 0;
  /** It served before it crashed, so that starting it again is a repair. */
  let repairing = false;
  let retry: NodeJS.Timeout | undefined;
  let launching: Promise<void> = Promise.resolve();
  let ready = deferred();

  const become = (next: State, detail: StateDetail = {}) => {
    state = next;
    onState(next, detail);
  };

  async function launch(): Promise<void> {
    clearTimeout(retry);
    become("starting");
    let started: Child;
    try {
      started = await startChild(await options.launch());
    } catch (error) {
      return failed(error as Error, {});
    }
    child = started;
    ledger.add(name, started.pid);
    if (!wanted) started.kill("SIGKILL");
    const gone = new AbortController();
    let served = false;
    let overdue = false;
    const startedAt = performance.now();
    const readyTimeoutMs = options.readyTimeoutMs ?? 60_000;
    void started.exited.then((exit) => {
      gone.abort(new Error(`${name} ended`));
      ledger.remove(started.pid);
      if (child === started) child = undefined;
      if (!wanted) return;
      if (served && performance.now() - startedAt > BACKOFF.healthyAfterMs) failures = 0;
      const because = exit.signal ? `by ${exit.signal}` : `with code ${exit.code}`;
      const what = overdue ? `did not get ready in ${readyTimeoutMs / 1_000} s` : `ended ${because}`;
      failed(
        new Error(`${name} ${what}${served || overdue ? "" : " before it was ready"}${explain()}`),
        overdue ? {} : { exit },
        served,
      );
    });
    const timeout = AbortSignal.timeout(readyTimeoutMs);
    options.serves(started, AbortSignal.any([gone.signal, timeout])).then(
      () => {
        if (gone.signal.aborted || !wanted) return;
        served = true;
        ready.resolve();
        become("ready");
      },
      () => {
        // When it ended, that is told above. When it only doesn't answer, it is ended, which is told above too.
        if (gone.signal.aborted) return;
        overdue = true;
        started.kill("SIGKILL");
      },
    );
  }

  function explain(): string {
    const text = options.explain?.() ?? "";
    return text === "" ? "" : `:\n${text}`;
  }

  function failed(error: Error, detail: StateDetail, served = false): void {
    repairing ||= served;
    const passing = options.passing?.test(error.message) === true && failures < PASSING_ATTEMPTS;
    const repaired = options.restart === "always" || (options.restart === "once-ready" && repairing);
    // All is settled before it is told: who is told may start it again.
    if (served) ready = deferred();
    if (!passing && !repaired) {
      wanted = false;
      if (!served) ready.reject(error);
      become("crashed", detail);
      return;
    }
    const retryMs = Math.min(BACKOFF.maxMs, BACKOFF.firstMs * 2 ** failures);
    failures += 1;
    retry = setTimeout(() => {
      launching = launch();
    }, retryMs);
    become("crashed", { ...detail, retryMs });
  }

  async function end(finish: (running: Child) => Promise<unknown>): Promise<void> {
    wanted = false;
    clearTimeout(retry);
    await launching;
    if (child !== undefined) await finish(child);
    if (state === "ready") ready = deferred();
    if (state !== "stopped") become("stopped");
  }

  return {
    name,
    get pid() {
      return child?.pid;
    },
    get state() {
      return state;
    },
    get ready() {
      return ready.promise;
    },
    start() {
      if (wanted && state !== "crashed") return ready.promise;
      if (!wanted) {
        wanted = true;
        failures = 0;
        repairing = false;
        ready = deferred();
      }
      launching = launch();
      return ready.promise;
    },
    stop: () => end((running) => running.stop(stopSignal, stopTimeoutMs)),
    async kill(signal = "SIGKILL") {
      if (signal !== "SIGKILL") return child?.kill(signal);
      await end((running) => running.stop("SIGKILL", stopTimeoutMs));
    },
  };
}

interface Deferred {
  readonly promise: Promise<void>;
  resolve(): void;
  reject(error: Error): void;
}

function deferred(): Deferred {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  promise.catch(() => {});
  return { promise, resolve: () => resolve(), reject };
}
