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

/** What names of a service's consumers at the broker begin with. */
export function durableName(service: string): string {
  return token(service);
}

/** Whether a subject is the filter's, in which "*" stands for a token and a last ">" for all that follow. */
export function matchesSubject(filter: string, subject: string): boolean {
  const tokens = subject.split(".");
  const wanted = filter.split(".");
  const rest = wanted.at(-1) === ">";
  if (rest ? tokens.length < wanted.length : tokens.length !== wanted.length) return false;
  return wanted.every((token, i) => token === "*" || token === tokens[i] || (rest && i === wanted.length - 1));
}

function token(service: string): string {
  return service === "*" ? service : service.replace(/[^\w-]/g, "_");
}

const known = new Map([deadLetterStream, replayStream].map((own) => [own.name, own]));

/** The stream that keeps a subject: the dead letters', or that of the event's contract package. */
export function streamOf(name: string, subject: string): StreamSpec {
  let stream = known.get(name);
  if (!stream) {
    stream = { name, subjects: [`${packageOf(subject)}.>`] };
    known.set(name, stream);
  }
  return stream;
}
