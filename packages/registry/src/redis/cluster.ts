import { Cluster, type ClusterNode, type ClusterOptions, type Command } from "ioredis";

export interface BoundedClusterOptions extends ClusterOptions {
  /** Milliseconds for all tries of a command together, waiting for the Cluster included. */
  readonly commandTimeoutMs: number;
}

/**
 * ioredis waits without end for a Cluster of which no node answers, and goes on asking a master that hangs when another has
 * taken its slots. Here a command has one time for all its tries, and one whose time is over has it asked anew who has which slot.
 */
export class BoundedCluster extends Cluster {
  readonly #commandTimeoutMs: number;

  constructor(nodes: ClusterNode[], { commandTimeoutMs, ...options }: BoundedClusterOptions) {
    super(nodes, options as Omit<ClusterOptions, "redisOptions">);
    this.#commandTimeoutMs = commandTimeoutMs;
  }

  override sendCommand(...[command, ...rest]: Parameters<Cluster["sendCommand"]>): unknown {
    this.#bound(command);
    return super.sendCommand(command, ...rest);
  }

  #bound(command: Command): void {
    command.setTimeout(this.#commandTimeoutMs);
    command.promise.catch((error: unknown) => {
      if (error instanceof Error && error.message === "Command timed out" && this.status === "ready")
        this.refreshSlotsCache();
    });
  }
}
