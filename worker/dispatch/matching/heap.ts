/** A binary heap of (key, item) pairs, smallest key first and among equal keys the smallest item. Reused, never shrunk. */
export class MinimumHeap {
  #keys: number[] = [];
  #items: number[] = [];
  #size = 0;

  get size(): number {
    return this.#size;
  }

  clear(): void {
    this.#size = 0;
  }

  push(key: number, item: number): void {
    let hole = this.#size++;
    while (hole > 0) {
      const parent = (hole - 1) >> 1;
      const parentKey = this.#keys[parent] ?? 0;
      const parentItem = this.#items[parent] ?? 0;
      if (parentKey < key || (parentKey === key && parentItem <= item)) break;
      this.#keys[hole] = parentKey;
      this.#items[hole] = parentItem;
      hole = parent;
    }
    this.#keys[hole] = key;
    this.#items[hole] = item;
  }

  /** Removes the first pair. */
  pop(): { readonly key: number; readonly item: number } | undefined {
    if (this.#size === 0) return undefined;
    const first = { key: this.#keys[0] ?? 0, item: this.#items[0] ?? 0 };
    const last = --this.#size;
    this.#sink(this.#keys[last] ?? 0, this.#items[last] ?? 0);
    return first;
  }

  #sink(key: number, item: number): void {
    let hole = 0;
    for (;;) {
      let child = 2 * hole + 1;
      if (child >= this.#size) break;
      if (child + 1 < this.#size && this.#isBefore(child + 1, child)) child++;
      const childKey = this.#keys[child] ?? 0;
      const childItem = this.#items[child] ?? 0;
      if (key < childKey || (key === childKey && item <= childItem)) break;
      this.#keys[hole] = childKey;
      this.#items[hole] = childItem;
      hole = child;
    }
    this.#keys[hole] = key;
    this.#items[hole] = item;
  }

  #isBefore(left: number, right: number): boolean {
    const difference = (this.#keys[left] ?? 0) - (this.#keys[right] ?? 0);
    return difference < 0 || (difference === 0 && (this.#items[left] ?? 0) < (this.#items[right] ?? 0));
  }
}
