import { TimeoutError } from "@nats-io/transport-node";
import { pause } from "@weft/store";

/**
 * Asks again, for 3 s unless told otherwise, until there is an answer, be it an error. A question that meets a stream of a cluster without a leader is
 * never answered: whoever waits for it to time out hears of the next leader late.
 */
export async function firstAnswer<T>(
  question: () => Promise<T>,
  { everyMs = 250, times = 12 }: { readonly everyMs?: number; readonly times?: number } = {},
): Promise<T> {
  const answered = new AbortController();
  const ask = async (_: undefined, turn: number): Promise<T> => {
    if (turn > 0) await pause(turn * everyMs, answered.signal);
    try {
      return await question();
    } catch (error) {
      const others = turn < times - 1;
      // A later question may be answered yet.
      if (error instanceof TimeoutError && others) return await new Promise<never>(() => {});
      throw error;
    }
  };
  try {
    return await Promise.race(Array.from({ length: times }, ask));
  } finally {
    answered.abort(new Error("there is an answer"));
  }
}
