import type { DescFile } from "@bufbuild/protobuf";

/** Where something is said: a path into the file's descriptor, as google.protobuf.SourceCodeInfo has it. */
export interface Place {
  readonly file: DescFile;
  /** Full name of the method, service or message that is spoken of. */
  readonly subject: string;
  /** Candidates, best first: an option's own place, then that of what it stands on. */
  readonly paths: readonly (readonly number[])[];
}

/** Something in a contract that can't be safe, or can't be meant. */
export interface Refusal {
  readonly place: Place;
  readonly problem: string;
  /** What to write instead. */
  readonly mend: string;
}

/** `file:line: subject: problem. mend.` */
export function describeRefusal({ place, problem, mend }: Refusal): string {
  const line = lineOf(place);
  const where = line === undefined ? place.file.proto.name : `${place.file.proto.name}:${line}`;
  return `${where}: ${place.subject}: ${problem}. ${mend}.`;
}

/** The line on which the first path that has a location starts; undefined when the source info was stripped. */
function lineOf({ file, paths }: Place): number | undefined {
  const locations = file.proto.sourceCodeInfo?.location ?? [];
  for (const path of paths) {
    const location = locations.find((l) => path.every((part, i) => l.path[i] === part));
    if (location?.span[0] !== undefined) return location.span[0] + 1;
  }
  return undefined;
}
