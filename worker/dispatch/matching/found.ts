/** Columns that a search found, with what each costs the row and costs it with the price; lists of one length. */
export class Found {
  column: Int32Array;
  cost: Float64Array;
  /** The cost and the price of the column. */
  priced: Float64Array;
  count = 0;

  constructor(capacity: number) {
    this.column = new Int32Array(capacity);
    this.cost = new Float64Array(capacity);
    this.priced = new Float64Array(capacity);
  }

  reserve(capacity: number): void {
    if (capacity <= this.column.length) return;
    this.column = new Int32Array(2 * capacity);
    this.cost = new Float64Array(2 * capacity);
    this.priced = new Float64Array(2 * capacity);
  }

  add(column: number, cost: number, priced: number): void {
    const index = this.count++;
    this.column[index] = column;
    this.cost[index] = cost;
    this.priced[index] = priced;
  }

  /** Forgets all but the `count` of least priced cost and returns the least priced cost of those forgotten. Hoare's select. */
  keepLeast(count: number): number {
    if (this.count <= count) return Infinity;
    const { priced } = this;
    let low = 0;
    let high = this.count - 1;
    while (low < high) {
      const pivot = priced[(low + high) >> 1] ?? 0;
      let left = low;
      let right = high;
      while (left <= right) {
        while ((priced[left] ?? 0) < pivot) left++;
        while ((priced[right] ?? 0) > pivot) right--;
        if (left <= right) this.#swap(left++, right--);
      }
      if (count <= right) high = right;
      else if (count >= left) low = left;
      else break;
    }
    let forgotten = Infinity;
    for (let index = count; index < this.count; index++) {
      forgotten = Math.min(forgotten, priced[index] ?? Infinity);
    }
    this.count = count;
    return forgotten;
  }

  #swap(left: number, right: number): void {
    const { column, cost, priced } = this;
    const leftColumn = column[left] ?? 0;
    const leftCost = cost[left] ?? 0;
    const leftPriced = priced[left] ?? 0;
    column[left] = column[right] ?? 0;
    cost[left] = cost[right] ?? 0;
    priced[left] = priced[right] ?? 0;
    column[right] = leftColumn;
    cost[right] = leftCost;
    priced[right] = leftPriced;
  }
}
