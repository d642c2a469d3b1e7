/** What is wrong with one field of a request, in the words and the spelling of REST. */
export interface FieldFault {
  /** "items[0].quantity"; empty for the body as a whole. */
  readonly field: string;
  readonly description: string;
}

/** Faults as one line of text. */
export function describeFaults(faults: readonly FieldFault[]): string {
  return faults.map(({ field, description }) => (field === "" ? description : `${field}: ${description}`)).join("; ");
}

/** A request that can't be read as its contract says. */
export class BadRequestError extends Error {
  override readonly name = "BadRequestError";
  readonly faults: readonly FieldFault[];

  constructor(faults: readonly FieldFault[]) {
    super(describeFaults(faults));
    this.faults = faults;
  }
}

export function isBadRequest(error: unknown): error is BadRequestError {
  return error instanceof BadRequestError;
}
