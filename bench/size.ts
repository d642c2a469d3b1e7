/** How much of something a benchmark does: the first is its full measure, the second is what there is time for before each merge. */
export type Size = (full: number, small: number) => number;
