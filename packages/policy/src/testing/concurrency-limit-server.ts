import { type ConcurrencyLimit, createConcurrencyLimit, type LimitOutcome } from "../concurrency-limit.ts";
import type { Criticality } from "../method-policy.ts";
import { exponential, type SimulatedTime, seededRandom, simulatedTime } from "./simulated-time.ts";

/** One kind of call: how often it comes and how long it takes when it doesn't wait. */
export interface Load {
  readonly method?: string;
  readonly criticality?: Criticality;
  /** Calls a second, at random times. */
  readonly rate: number;
  /** Calls that come at once, each time. Default 1. */
  readonly burst?: number;
  readonly outcome?: LimitOutcome;
  readonly serviceMs: (random: () => number) => number;
}

export interface Ended {
  readonly method: string;
  readonly criticality: Criticality;
  readonly arrivedAt: number;
  /** Undefined when it was rejected. */
  readonly latencyMs: number | undefined;
}

export interface SimulatedServer {
  readonly time: SimulatedTime;
  readonly limit: ConcurrencyLimit;
  /** What comes from now on, instead of what came before. */
  load(...loads: readonly Load[]): void;
  /** Lets `ms` pass; what came in that time, and how it ended (calls still under way count by what they would take). */
  pass(ms: number): Figures;
}

export interface Figures {
  readonly goodputPerSecond: number;
  readonly rejected: number;
  readonly arrived: number;
  /** Latency of the accepted, and of one method or criticality alone. */
  p(quantile: number, of?: Partial<Pick<Ended, "method" | "criticality">>): number;
  count(what: "accepted" | "rejected", of?: Partial<Pick<Ended, "method" | "criticality">>): number;
}

export const constant = (ms: number) => () => ms;
export const exponentially = (mean: number) => (random: () => number) => exponential(random, mean);

/** Calls wait in one queue for one of `workers`: a pool of connections, another service. */
export function simulateWorkers(workers: number, seed = 1, limit = createConcurrencyLimit()): SimulatedServer {
  const time = simulatedTime();
  const random = seededRandom(seed);
  const freeAt = new Array<number>(workers).fill(0);
  return simulate(time, random, limit, (call, serviceMs, ended, rejected) => {
    const now = time.now();
    const method = limit.method(call.method ?? "call");
    if (!method.tryBegin(call.criticality ?? "normal", now)) {
      rejected();
      return;
    }
    let first = 0;
    for (let i = 1; i < workers; i++) if ((freeAt[i] ?? 0) < (freeAt[first] ?? 0)) first = i;
    const end = Math.max(now, freeAt[first] ?? 0) + serviceMs;
    freeAt[first] = end;
    time.at(end, () => {
      method.end(now, time.now(), call.outcome ?? "answered");
      ended();
    });
  });
}

/** What a call costs an event loop that refuses it. */
const rejectMs = 0.02;

/**
 * Handlers that compute, on one event loop: each turn reads what has come and runs it, call by call; timers (the reports
 * of the loop's delay) fire between turns. `pause` stops the whole process for a while.
 */
export function simulateLoop(seed = 1): SimulatedServer & { pause(ms: number): void } {
  const time = simulatedTime();
  const random = seededRandom(seed);
  let turnEnded: ((now: number) => void) | undefined;
  const limit = createConcurrencyLimit({ onTurn: (ended) => (turnEnded = ended) });
  let sockets: { call: Load; serviceMs: number; ended: () => void; rejected: () => void }[] = [];
  let busy = false;
  let pausedUntil = 0;
  let reportDueAt = 20;
  let reportedAt = 0;
  /** Since the last report. */
  let atWorkMs = 0;

  /** Ends when time has caught up with what the turn took. */
  function turn(): void {
    busy = true;
    let now = time.now();
    const batch = sockets;
    sockets = [];
    for (const { call, serviceMs, ended, rejected } of batch) {
      const method = limit.method(call.method ?? "call");
      const startedAt = now;
      if (method.tryBegin(call.criticality ?? "normal", now)) {
        now += serviceMs;
        method.end(startedAt, now, call.outcome ?? "answered");
        time.at(now, ended);
      } else {
        now += rejectMs;
        time.at(now, rejected);
      }
    }
    const startedAt = time.now();
    time.at(Math.max(now, pausedUntil), () => {
      atWorkMs += time.now() - startedAt;
      turnEnded?.(time.now());
      turnEnded = undefined;
      if (time.now() >= reportDueAt) report();
      busy = false;
      if (sockets.length > 0) turn();
    });
  }
  function report(): void {
    const now = time.now();
    limit.observeLoop(now - reportDueAt, Math.min(1, atWorkMs / (now - reportedAt)), now);
    atWorkMs = 0;
    reportedAt = now;
    reportDueAt = now + 20;
    time.at(reportDueAt, () => {
      if (!busy && time.now() >= pausedUntil && time.now() >= reportDueAt) report();
    });
  }
  time.at(20, report);

  const server = simulate(time, random, limit, (call, serviceMs, ended, rejected) => {
    sockets.push({ call, serviceMs, ended, rejected });
    if (!busy) turn();
  });
  return {
    ...server,
    pause(ms) {
      pausedUntil = time.now() + ms;
      busy = true;
      time.at(pausedUntil, () => {
        if (time.now() >= reportDueAt) report();
        busy = false;
        if (sockets.length > 0) turn();
      });
    },
  };
}

function simulate(
  time: SimulatedTime,
  random: () => number,
  limit: ConcurrencyLimit,
  arrive: (call: Load, serviceMs: number, ended: () => void, rejected: () => void) => void,
): SimulatedServer {
  let generation = 0;
  let log: Ended[] = [];
  return {
    time,
    limit,
    load(...loads) {
      generation += 1;
      const mine = generation;
      for (const load of loads) {
        const { burst = 1 } = load;
        const next = (): void => {
          if (mine !== generation) return;
          for (let i = 0; i < burst; i++) {
            const of = {
              method: load.method ?? "call",
              criticality: load.criticality ?? ("normal" as const),
              arrivedAt: time.now(),
            };
            const ended = (): void => void log.push({ ...of, latencyMs: time.now() - of.arrivedAt });
            arrive(load, load.serviceMs(random), ended, () => void log.push({ ...of, latencyMs: undefined }));
          }
          time.after(exponential(random, (1_000 * burst) / load.rate), next);
        };
        time.after(exponential(random, (1_000 * burst) / load.rate), next);
      }
    },
    pass(ms) {
      log = [];
      time.runUntil(time.now() + ms);
      return figures(log, ms);
    },
  };
}

function figures(log: readonly Ended[], ms: number): Figures {
  const of = (which: Partial<Pick<Ended, "method" | "criticality">>) =>
    log.filter(
      (each) =>
        (which.method === undefined || which.method === each.method) &&
        (which.criticality === undefined || which.criticality === each.criticality),
    );
  const accepted = log.filter((each) => each.latencyMs !== undefined).length;
  return {
    goodputPerSecond: (accepted * 1_000) / ms,
    rejected: log.length - accepted,
    arrived: log.length,
    p(quantile, which = {}) {
      const latencies = of(which).flatMap(({ latencyMs }) => (latencyMs === undefined ? [] : [latencyMs]));
      latencies.sort((a, b) => a - b);
      return latencies[Math.min(latencies.length - 1, Math.floor(quantile * latencies.length))] ?? 0;
    },
    count: (what, which = {}) =>
      of(which).filter(({ latencyMs }) => (latencyMs === undefined) === (what === "rejected")).length,
  };
}
