import { LeaseLostError, RegistryClosedError } from "./errors.ts";
import type { Instance, InstanceState, Lease, Registration, Registry, Watch } from "./registry.ts";
import { validateRegistration } from "./validate.ts";

export interface MemoryRegistryOptions {
  /** Milliseconds that never go backwards; `performance.now` unless given. */
  readonly clock?: { now(): number };
  /** How often leases are renewed and swept. Default 2000. */
  readonly heartbeatMs?: number;
}

/** A registry within one process, for tests and for a mesh that runs in one process. */
export interface MemoryRegistry extends Registry {
  /** Another registry over the same instances, as another process would have. */
  connect(): Registry;
  /** From now on the instance sends no heartbeats, as if its process had been killed. */
  silence(service: string, instance: string): void;
}

interface Entry {
  readonly instance: Instance;
  readonly lost: AbortController;
  readonly seenAt: number;
  readonly silent: boolean;
  /** Watchers were told that it is DOWN. */
  readonly late: boolean;
}

interface Watcher {
  readonly service: string;
  deliver(): void;
}

/** Leases renew themselves on a timer that keeps no process alive; a silenced one is DOWN after two intervals and gone after three. */
export function createMemoryRegistry(options: MemoryRegistryOptions = {}): MemoryRegistry {
  const clock = options.clock ?? performance;
  const heartbeatMs = options.heartbeatMs ?? 2000;
  const services = new Map<string, Map<string, Entry>>();
  const watchers = new Set<Watcher>();
  let lastEpoch = 0;
  let connections = 0;
  let timer: NodeJS.Timeout | undefined;

  function changed(service: string): void {
    for (const watcher of [...watchers]) if (watcher.service === service) watcher.deliver();
  }

  function put(entry: Entry): void {
    const { service, instance } = entry.instance;
    const entries = services.get(service) ?? new Map<string, Entry>();
    services.set(service, entries.set(instance, entry));
  }

  function find(service: string, instance: string): Entry | undefined {
    return services.get(service)?.get(instance);
  }

  function remove(service: string, instance: string): void {
    const entries = services.get(service);
    entries?.delete(instance);
    if (entries?.size === 0) services.delete(service);
  }

  function view(service: string): readonly Instance[] {
    const now = clock.now();
    return [...(services.get(service)?.values() ?? [])]
      .map((entry) =>
        now - entry.seenAt < 2 * heartbeatMs ? entry.instance : { ...entry.instance, state: "DOWN" as const },
      )
      .sort((a, b) => (a.instance < b.instance ? -1 : 1));
  }

  function beat(): void {
    const now = clock.now();
    for (const [service, entries] of [...services]) {
      let moved = false;
      for (const entry of [...entries.values()]) {
        if (!entry.silent) {
          put({ ...entry, seenAt: now });
          continue;
        }
        const missed = now - entry.seenAt;
        // DOWN comes before gone, however late this is.
        if (missed < (entry.late ? 3 : 2) * heartbeatMs) continue;
        if (entry.late) remove(service, entry.instance.instance);
        else put({ ...entry, late: true });
        moved = true;
      }
      if (moved) changed(service);
    }
  }

  function connect(): Registry {
    const leases = new Set<Lease>();
    const watches = new Set<Watch>();
    let closed = false;
    connections += 1;
    timer ??= setInterval(beat, heartbeatMs).unref();

    function mustBeOpen(): void {
      if (closed) throw new RegistryClosedError();
    }

    async function register(registration: Registration): Promise<Lease> {
      mustBeOpen();
      validateRegistration(registration);
      const { service, instance: id } = registration;
      find(service, id)?.lost.abort(new LeaseLostError(service, id));
      const epoch = Math.max(lastEpoch + 1, Math.floor(clock.now() * 1000));
      lastEpoch = epoch;
      const lost = new AbortController();
      put({ instance: { ...registration, epoch, state: "UP" }, lost, seenAt: clock.now(), silent: false, late: false });
      changed(service);
      const own = () => {
        const entry = find(service, id);
        return entry?.instance.epoch === epoch ? entry : undefined;
      };
      const lease: Lease = {
        epoch,
        lost: lost.signal,
        async update({ state }: { readonly state?: InstanceState }) {
          lost.signal.throwIfAborted();
          const entry = own();
          if (entry === undefined || state === undefined || entry.instance.state === state) return;
          put({ ...entry, instance: { ...entry.instance, state } });
          changed(service);
        },
        async release() {
          leases.delete(lease);
          if (own() === undefined) return;
          remove(service, id);
          changed(service);
        },
      };
      leases.add(lease);
      return lease;
    }

    function watch(service: string, onChange: (instances: readonly Instance[]) => void): Watch {
      mustBeOpen();
      const { promise: ready, resolve, reject } = Promise.withResolvers<void>();
      ready.catch(() => {});
      const watcher: Watcher = { service, deliver: () => onChange(view(service)) };
      queueMicrotask(() => {
        if (!watches.has(handle)) return;
        watchers.add(watcher);
        watcher.deliver();
        resolve();
      });
      const handle: Watch = {
        ready,
        close() {
          watchers.delete(watcher);
          watches.delete(handle);
          reject(new RegistryClosedError());
        },
      };
      watches.add(handle);
      return handle;
    }

    return {
      register,
      watch,
      async list(service) {
        mustBeOpen();
        return view(service);
      },
      async services() {
        mustBeOpen();
        return [...services.keys()].filter((service) => view(service).length > 0).sort();
      },
      async close() {
        if (closed) return;
        closed = true;
        for (const handle of watches) handle.close();
        for (const lease of leases) await lease.release();
        connections -= 1;
        if (connections > 0) return;
        clearInterval(timer);
        timer = undefined;
      },
    };
  }

  return {
    ...connect(),
    connect,
    silence(service, instance) {
      const entry = find(service, instance);
      if (entry !== undefined) put({ ...entry, silent: true });
    },
  };
}
