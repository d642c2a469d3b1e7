/** The index of one, drawn in proportion to its weight. */
export type Draw = (random: () => number) => number;

/** Draws in O(1), whatever the number of weights: all alike by index, others by Vose's alias method. */
export function weightedDraw(weights: readonly number[]): Draw {
  const size = weights.length;
  if (weights.every((weight) => weight === weights[0])) return (random) => Math.floor(random() * size);
  const { kept, alias } = aliasTable(weights);
  return (random) => {
    const place = random() * size;
    const column = Math.floor(place);
    return place - column < (kept[column] ?? 1) ? column : (alias[column] ?? column);
  };
}

/** Each column has the mean's room: what an index lacks of it is filled up by one that has more. What rounding leaves over is its own alias. */
function aliasTable(weights: readonly number[]): { readonly kept: Float64Array; readonly alias: Uint32Array } {
  const mean = weights.reduce((sum, weight) => sum + weight, 0) / weights.length;
  const kept = Float64Array.from(weights, (weight) => weight / mean);
  const alias = Uint32Array.from(weights, (_, index) => index);
  const small: number[] = [];
  const large: number[] = [];
  kept.forEach((room, index) => {
    (room < 1 ? small : large).push(index);
  });
  for (;;) {
    const [less, more] = [small.pop(), large.pop()];
    if (less === undefined || more === undefined) break;
    alias[less] = more;
    const rest = (kept[more] ?? 0) - (1 - (kept[less] ?? 0));
    kept[more] = rest;
    (rest < 1 ? small : large).push(more);
  }
  return { kept, alias };
}
