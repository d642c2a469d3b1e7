/** Does the work for each item, so many at a time, begun in their order. */
export async function inLanes<T>(items: readonly T[], count: number, work: (item: T) => Promise<void>): Promise<void> {
  const open = items.values();
  const lane = async (): Promise<void> => {
    for (const item of open) await work(item);
  };
  await Promise.all(Array.from({ length: count }, lane));
}
