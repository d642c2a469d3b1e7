/** Does the work for each item, so many at a time, begun in their order; one is asked for when there is a lane for it. */
export async function inLanes<T>(items: Iterable<T>, count: number, work: (item: T) => Promise<void>): Promise<void> {
  const open = items[Symbol.iterator]();
  const lane = async (): Promise<void> => {
    for (let next = open.next(); !next.done; next = open.next()) await work(next.value);
  };
  await Promise.all(Array.from({ length: count }, lane));
}
