/** How many pairs of one row lie together. */
export const CHUNK_PAIRS = 32;

/**
 * What each row is known to cost with the columns that it has looked at, in the order in which it did. The first `count[row]`
 * pairs of a row are in chunks: those of chunk `c` are `column[at]` and `cost[at]` from `at = c * CHUNK_PAIRS` on; its first
 * chunk is `first[row]`, and `next[c]` comes after `c`.
 */
export class SeenPairs {
  readonly count: Int32Array;
  readonly first: Int32Array;
  readonly #last: Int32Array;
  next: Int32Array;
  column: Int32Array;
  cost: Float64Array;
  #chunks = 0;

  /** `before`: what it knows may be taken over. It stays as it is. */
  constructor(rows: number, before?: SeenPairs) {
    this.count = new Int32Array(rows);
    this.first = new Int32Array(rows);
    this.#last = new Int32Array(rows);
    this.#chunks = before === undefined ? 0 : before.#chunks;
    const capacity = Math.max(this.#chunks, 4 * rows) + 64;
    this.next = new Int32Array(capacity);
    this.column = new Int32Array(capacity * CHUNK_PAIRS);
    this.cost = new Float64Array(capacity * CHUNK_PAIRS);
    if (before !== undefined) this.#copy(before);
  }

  /** Of all rows, with what is left free in their last chunks. */
  get size(): number {
    return this.#chunks * CHUNK_PAIRS;
  }

  /** The row is the one that `before`, which this was made from, knows as `was`. */
  takeOver(row: number, before: SeenPairs, was: number): void {
    this.count[row] = before.count[was] ?? 0;
    this.first[row] = before.first[was] ?? 0;
    this.#last[row] = before.#last[was] ?? 0;
  }

  forgetAll(): void {
    this.count.fill(0);
    this.#chunks = 0;
  }

  add(row: number, column: number, cost: number): void {
    const count = this.count[row] ?? 0;
    const place = count % CHUNK_PAIRS;
    if (place === 0) this.#openChunk(row, count === 0);
    const at = (this.#last[row] ?? 0) * CHUNK_PAIRS + place;
    this.column[at] = column;
    this.cost[at] = cost;
    this.count[row] = count + 1;
  }

  #openChunk(row: number, isFirst: boolean): void {
    const chunk = this.#chunks++;
    if (chunk === this.next.length) this.#grow();
    if (isFirst) this.first[row] = chunk;
    else this.next[this.#last[row] ?? 0] = chunk;
    this.#last[row] = chunk;
  }

  #grow(): void {
    const { next, column, cost } = this;
    const capacity = 2 * next.length;
    this.next = new Int32Array(capacity);
    this.column = new Int32Array(capacity * CHUNK_PAIRS);
    this.cost = new Float64Array(capacity * CHUNK_PAIRS);
    this.next.set(next);
    this.column.set(column);
    this.cost.set(cost);
  }

  #copy(before: SeenPairs): void {
    this.next.set(before.next.subarray(0, before.#chunks));
    this.column.set(before.column.subarray(0, before.size));
    this.cost.set(before.cost.subarray(0, before.size));
  }
}
