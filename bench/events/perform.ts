import { fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { Answer, Task } from "./task.ts";

export interface Performance {
  /** Resolves when the worker says that it is ready, if it does. */
  readonly ready: Promise<void>;
  readonly answer: Promise<Answer>;
}

/** Gives a task to a process of its own. */
export function begin(task: Task): Performance {
  const worker = fork(join(import.meta.dirname, "worker.ts"), { stdio: ["ignore", "inherit", "inherit", "ipc"] });
  worker.send(task);
  const ready = Promise.withResolvers<void>();
  const answer = Promise.withResolvers<Answer>();
  worker.on("message", (message: Answer | "ready") => {
    if (message === "ready") ready.resolve();
    else answer.resolve(message);
  });
  worker.once("exit", (code) => {
    const error = new Error(`the worker for ${task.role} ended with ${code}`);
    ready.promise.catch(() => undefined);
    ready.reject(error);
    answer.reject(error);
  });
  const end = async (): Promise<void> => {
    if (worker.connected) worker.disconnect();
    if (worker.exitCode === null && worker.signalCode === null) await once(worker, "exit");
  };
  return { ready: ready.promise, answer: answer.promise.finally(end) };
}

export function perform(task: Task): Promise<Answer> {
  return begin(task).answer;
}
