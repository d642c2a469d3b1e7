import { packageOf } from "./event-type.ts";

/** A stream and the subjects that it keeps. */
export interface StreamSpec {
  readonly name: string;
  readonly subjects: readonly string[];
}

export const deadLetterStream: StreamSpec = { name: "WEFT_DEAD", subjects: ["weft.dead.>"] };

/** Where a service's dead letters of a subject go. */
export function deadLetterSubject(service: string, subject: string): string {
  return `weft.dead.${service.replace(/[^\w-]/g, "_")}.${subject}`;
}

/** The stream that keeps a subject: the dead letters', or that of the event's contract package. */
export function streamOf(name: string, subject: string): StreamSpec {
  return name === deadLetterStream.name ? deadLetterStream : { name, subjects: [`${packageOf(subject)}.>`] };
}
