/** What a table remembers of a field. */
export interface TableField {
  readonly name: string;
  readonly value: string;
  /** As `fieldSize` counts. */
  readonly size: number;
}

/**
 * The fields that both ends remember, the oldest of which goes when there is no room (RFC 7541 sections 2.3.2 and 4). Each has a
 * number that stays: the first one that came has 1.
 */
export class DynamicTable<Field extends TableField> {
  /** Numbers map to places by their low bits. */
  #places: (Field | undefined)[] = new Array(32).fill(undefined);
  #newest = 0;
  #changes = 0;
  #length = 0;
  #size = 0;
  #maxSize: number;
  readonly #evicted: ((field: Field, number: number) => void) | undefined;

  constructor(maxSize: number, evicted?: (field: Field, number: number) => void) {
    this.#maxSize = maxSize;
    this.#evicted = evicted;
  }

  /** Number of the field that came last; 0 before there was any. */
  get newest(): number {
    return this.#newest;
  }

  /** How often a field came or went: as long as it stays, so does what every index means. */
  get changes(): number {
    return this.#changes;
  }

  get maxSize(): number {
    return this.#maxSize;
  }

  /** The field that came as so manieth from the last, which is 0. */
  at(age: number): Field | undefined {
    if (age >= this.#length) return undefined;
    return this.#places[(this.#newest - age) & (this.#places.length - 1)];
  }

  /** One that is larger than the table empties it, and is not remembered. */
  add(field: Field): void {
    this.#makeRoom(field.size);
    if (field.size > this.#maxSize) return;
    if (this.#length === this.#places.length) this.#grow();
    this.#newest += 1;
    this.#changes += 1;
    this.#places[this.#newest & (this.#places.length - 1)] = field;
    this.#length += 1;
    this.#size += field.size;
  }

  resize(maxSize: number): void {
    this.#maxSize = maxSize;
    this.#makeRoom(0);
  }

  #makeRoom(size: number): void {
    while (this.#length > 0 && this.#size + size > this.#maxSize) {
      const number = this.#newest - this.#length + 1;
      const place = number & (this.#places.length - 1);
      const field = this.#places[place] as Field;
      this.#places[place] = undefined;
      this.#changes += 1;
      this.#length -= 1;
      this.#size -= field.size;
      this.#evicted?.(field, number);
    }
  }

  #grow(): void {
    const places = new Array<Field | undefined>(2 * this.#places.length).fill(undefined);
    for (let age = 0; age < this.#length; age++) {
      places[(this.#newest - age) & (places.length - 1)] = this.at(age);
    }
    this.#places = places;
  }
}
