import type { Broker } from "@weft/events";
import { createJetStreamBroker } from "@weft/events/jetstream";
import { type FaultPoint, type Faults, openStore, type Store } from "@weft/store";

/** What a program of the drill is started with, as JSON. */
export interface ProgramOptions {
  readonly databaseUrl: string;
  readonly natsUrl: string;
  /** Copies of each stream. */
  readonly replicas: number;
  /** Where it kills itself, and at which passing. */
  readonly crash?: { readonly point: FaultPoint; readonly passing: number };
  /** The share of transactions that publish and are rolled back, from 0 up to 1. */
  readonly rollBack: number;
  /** Failed runs of a handler after which its event becomes a dead letter. */
  readonly maxDeliver: number;
}

export interface Program {
  readonly options: ProgramOptions;
  readonly store: Store<unknown>;
  readonly broker: Broker;
  readonly faults: Faults;
}

/** Opens what every program of the drill needs. It ends when its supervisor asks for that, or is gone. */
export function openProgram(name: string): Program {
  const options = JSON.parse(process.argv[2] ?? "") as ProgramOptions;
  const faults = crashAt(options.crash);
  const end = (): void => process.exit(0);
  process.once("SIGTERM", end);
  process.once("disconnect", end);
  return {
    options,
    store: openStore({ url: options.databaseUrl, application: name, maxConnections: 12, faults }),
    broker: createJetStreamBroker({ url: options.natsUrl, name, replicas: options.replicas }),
    faults,
  };
}

function crashAt(crash: ProgramOptions["crash"]): Faults {
  let left = crash?.passing ?? 0;
  return (point) => {
    if (point !== crash?.point) return;
    left -= 1;
    if (left === 0) process.kill(process.pid, "SIGKILL");
  };
}
