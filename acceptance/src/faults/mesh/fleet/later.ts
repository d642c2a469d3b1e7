/** A promise that is awaited later, or never where the row fails before: its rejection is no surprise meanwhile. */
export function later<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {});
  return promise;
}
