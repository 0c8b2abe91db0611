/** A binary heap of (key, item) pairs, smallest key first and among equal keys the smallest item. Reused, never shrunk. */
export class MinimumHeap {
  #keys = new Float64Array(256);
  #items = new Int32Array(256);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  clear(): void {
    this.#size = 0;
  }

  push(key: number, item: number): void {
    if (this.#size === this.#keys.length) this.#grow();
    const keys = this.#keys;
    const items = this.#items;
    let hole = this.#size++;
    while (hole > 0) {
      const parent = (hole - 1) >> 1;
      const parentKey = keys[parent] ?? 0;
      const parentItem = items[parent] ?? 0;
      if (parentKey < key || (parentKey === key && parentItem <= item)) break;
      keys[hole] = parentKey;
      items[hole] = parentItem;
      hole = parent;
    }
    keys[hole] = key;
    items[hole] = item;
  }

  /** Removes the first pair and returns its item; -1 when there is none. */
  pop(): number {
    if (this.#size === 0) return -1;
    const first = this.#items[0] ?? -1;
    const last = --this.#size;
    this.#sink(this.#keys[last] ?? 0, this.#items[last] ?? 0);
    return first;
  }

  #sink(key: number, item: number): void {
    const keys = this.#keys;
    const items = this.#items;
    const size = this.#size;
    let hole = 0;
    for (;;) {
      let child = 2 * hole + 1;
      if (child >= size) break;
      if (child + 1 < size && isBefore(keys, items, child + 1, child)) child++;
      const childKey = keys[child] ?? 0;
      const childItem = items[child] ?? 0;
      if (key < childKey || (key === childKey && item <= childItem)) break;
      keys[hole] = childKey;
      items[hole] = childItem;
      hole = child;
    }
    keys[hole] = key;
    items[hole] = item;
  }

  #grow(): void {
    const keys = new Float64Array(2 * this.#size);
    const items = new Int32Array(2 * this.#size);
    keys.set(this.#keys);
    items.set(this.#items);
    this.#keys = keys;
    this.#items = items;
  }
}

function isBefore(keys: Float64Array, items: Int32Array, left: number, right: number): boolean {
  const difference = (keys[left] ?? 0) - (keys[right] ?? 0);
  return difference < 0 || (difference === 0 && (items[left] ?? 0) < (items[right] ?? 0));
}
