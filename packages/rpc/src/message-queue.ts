/** Octets that wait for a reader, above which the other side is told to wait, … */
const fullBytes = 65_536;
/** … and below which it may go on. */
const roomyBytes = 16_384;

/** What a message takes beside its octets: also those that have none fill the queue. */
const overheadBytes = 128;

/** Messages that have come and were not read yet: read by one reader, with backpressure towards their source. */
export class MessageQueue<T> implements AsyncIterableIterator<T, undefined> {
  readonly #source: { pause(): void; resume(): void; leave(): void };
  #messages: { readonly message: T; readonly octets: number }[] = [];
  #at = 0;
  #octets = 0;
  #isPaused = false;
  /** How it ends, behind the messages. */
  #end: { readonly error?: unknown } | undefined;
  readonly #readers: PromiseWithResolvers<IteratorResult<T, undefined>>[] = [];

  /** `leave` is called when the reader does not want the rest. */
  constructor(source: { pause(): void; resume(): void; leave(): void }) {
    this.#source = source;
  }

  push(message: T, octets: number): void {
    if (this.#end !== undefined) return;
    const reader = this.#readers.shift();
    if (reader !== undefined) {
      reader.resolve({ done: false, value: message });
      return;
    }
    this.#messages.push({ message, octets: octets + overheadBytes });
    this.#octets += octets + overheadBytes;
    if (this.#octets < fullBytes || this.#isPaused) return;
    this.#isPaused = true;
    this.#source.pause();
  }

  /** No more messages come; the reader gets those that are there, and then the error, if there is one. */
  end(error?: unknown): void {
    if (this.#end !== undefined) return;
    this.#end = error === undefined ? {} : { error };
    for (const reader of this.#readers.splice(0)) {
      if (error === undefined) reader.resolve({ done: true, value: undefined });
      else reader.reject(error);
    }
  }

  /** The reader gets the error now, whatever is still there. */
  fail(error: unknown): void {
    this.#messages = [];
    this.#at = 0;
    this.end(error);
  }

  next(): Promise<IteratorResult<T, undefined>> {
    const next = this.#messages[this.#at];
    if (next !== undefined) {
      this.#at += 1;
      if (this.#at === this.#messages.length) {
        this.#messages = [];
        this.#at = 0;
      }
      this.#octets -= next.octets;
      if (this.#isPaused && this.#octets <= roomyBytes) {
        this.#isPaused = false;
        this.#source.resume();
      }
      return Promise.resolve({ done: false, value: next.message });
    }
    if (this.#end !== undefined) {
      return "error" in this.#end ? Promise.reject(this.#end.error) : Promise.resolve({ done: true, value: undefined });
    }
    const reader = Promise.withResolvers<IteratorResult<T, undefined>>();
    this.#readers.push(reader);
    return reader.promise;
  }

  return(): Promise<IteratorResult<T, undefined>> {
    const wasOpen = this.#end === undefined;
    this.#messages = [];
    this.#at = 0;
    this.#end = {};
    for (const reader of this.#readers.splice(0)) reader.resolve({ done: true, value: undefined });
    if (wasOpen) this.#source.leave();
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}
