import { consume, noteStarts, publishForLong, publishSteadily, relay } from "./mesh.ts";
import { rawConsume, rawPublish } from "./raw.ts";
import type { Answer, Task } from "./task.ts";

// A process for one task: answers with one message, and ends when its parent lets go.
process.once("disconnect", () => process.exit());
process.once("message", async (task: Task) => void process.send?.(await perform(task)));

function perform(task: Task): Promise<Answer> {
  switch (task.role) {
    case "relay":
      return relay(task, task.count, task.warmUp);
    case "raw-publish":
      return rawPublish(task, task.count, task.warmUp, task.window);
    case "raw-consume":
      return rawConsume(task, task.count, task.warmUp);
    case "subscribe":
      return consume(task, task.count, task.warmUp, task.batch);
    case "publish-steadily":
      return publishSteadily(task, task.count, task.perSecond);
    case "note-starts":
      return noteStarts(task, task.count, () => void process.send?.("ready"));
    case "publish-for-long":
      return publishForLong(task, task.count, task.perSecond, task.retentionMs);
  }
}
