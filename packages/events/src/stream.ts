import { packageOf } from "./event-type.ts";

/** A stream and the subjects that it keeps. */
export interface StreamSpec {
  readonly name: string;
  readonly subjects: readonly string[];
}

export const deadLetterStream: StreamSpec = { name: "WEFT_DEAD", subjects: ["weft.dead.>"] };

/** Where a service's dead letters of a subject go. */
export function deadLetterSubject(service: string, subject: string): string {
  return `weft.dead.${token(service)}.${subject}`;
}

/** Dead letters that are to be handled again, on their way to the service that gave them up. */
export const replayStream: StreamSpec = { name: "WEFT_REPLAY", subjects: ["weft.replay.>"] };

/** Where dead letters of a subject go on their way back to a service. */
export function replaySubject(service: string, subject: string): string {
  return `weft.replay.${token(service)}.${subject}`;
}

/** What the broker calls a service's consumers. */
export function durableName(service: string): string {
  return token(service);
}

/** Whether a subject is the filter's, whose last token may be ">". */
export function matchesSubject(filter: string, subject: string): boolean {
  return filter.endsWith(">") ? subject.startsWith(filter.slice(0, -1)) : subject === filter;
}

function token(service: string): string {
  return service.replace(/[^\w-]/g, "_");
}

/** The stream that keeps a subject: the dead letters', or that of the event's contract package. */
export function streamOf(name: string, subject: string): StreamSpec {
  return (
    [deadLetterStream, replayStream].find((own) => own.name === name) ?? { name, subjects: [`${packageOf(subject)}.>`] }
  );
}
