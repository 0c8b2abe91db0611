import { Found } from "./found.ts";
import { ColumnGrid, frameOf } from "./grid.ts";
import type { MatchingProblem } from "./match.ts";

/** After how many searches the least price of every group is noted again. */
const SEARCHES_PER_NOTE = 256;
/** A search that looked at this share of all columns will be followed by others that do. */
const WIDE_SHARE = 0.1;
/** Costs written down at most, at 8 bytes each. */
const WRITTEN_COSTS_MAX = 8_000_000;

/**
 * Finds the columns that are cheapest for a row once their prices are added, without looking at most of the others: ring by
 * ring around the row, always where the cheapest may still be, until nothing beyond can be cheaper than what was found.
 */
export class ColumnSearch {
  readonly found: Found;
  readonly #problem: MatchingProblem;
  #price: Float64Array;
  readonly #grids: readonly ColumnGrid[];
  /** For each group, the next ring to look at and what a column there costs at least. */
  readonly #ring: Int32Array;
  readonly #atLeast: Float64Array;
  /** Columns that the present search passes over carry its number. */
  readonly #passed: Int32Array;
  /** The columns of the ring at hand, and what they cost the row. */
  readonly #near: Int32Array;
  readonly #nearCosts: Float64Array;
  #nearCount = 0;
  readonly #everyColumn: Int32Array;
  #search = 0;
  #looked = 0;
  /** All costs of rows that are wide-searched again and again. */
  readonly #written = new Map<number, Float64Array>();

  /** `before`: has the same columns. */
  constructor(problem: MatchingProblem, before?: ColumnSearch) {
    const { x } = problem.columns;
    this.found = new Found(256);
    this.#problem = problem;
    this.#price = new Float64Array(x.length);
    this.#grids = before === undefined ? gridsOf(problem) : before.#grids;
    this.#ring = new Int32Array(this.#grids.length);
    this.#atLeast = new Float64Array(this.#grids.length);
    this.#passed = new Int32Array(x.length);
    this.#near = new Int32Array(x.length);
    this.#nearCosts = new Float64Array(x.length);
    this.#everyColumn = Int32Array.from(x.keys());
  }

  /** From now on these are the prices, one for each column and none negative. To be called again when one has fallen. */
  notePrices(price: Float64Array): void {
    this.#price = price;
    for (const grid of this.#grids) grid.notePrices(price);
  }

  /** The row is the one that `before` knows as `was`. */
  takeOver(row: number, before: ColumnSearch, was: number): void {
    const costs = before.#written.get(was);
    if (costs !== undefined) this.#written.set(row, costs);
  }

  /** Whether a search for the row looks at every column, at what it is known to cost. */
  isWrittenDown(row: number): boolean {
    return this.#written.has(row);
  }

  /** What the row pays at least, whatever the column and its price. */
  leastCost(row: number): number {
    let least = Infinity;
    for (let group = 0; group < this.#grids.length; group++) {
      least = Math.min(least, this.#problem.pairCostAtLeast(row, group, 0));
    }
    return least;
  }

  /** What the cheapest of the first `count` of `columns` costs the row, price included. */
  leastPricedOf(row: number, columns: Int32Array, count: number): number {
    this.#problem.pairCosts(row, columns, count, this.#nearCosts);
    let least = Infinity;
    for (let index = 0; index < count; index++) {
      least = Math.min(least, (this.#nearCosts[index] ?? 0) + (this.#price[columns[index] ?? 0] ?? 0));
    }
    return least;
  }

  /**
   * Leaves in `found` the `count` columns of least cost and price, of those that cost less than `below` and are not in
   * `known`, in no order. Returns what every other column that is not in `known` costs at least, price included.
   */
  findCheapest(row: number, count: number, below: number, known: Int32Array): number {
    if (this.#search++ % SEARCHES_PER_NOTE === 0) this.notePrices(this.#price);
    for (const column of known) this.#passed[column] = this.#search;
    this.found.reserve(2 * count);
    this.found.count = 0;
    const written = this.#written.get(row);
    if (written !== undefined) return this.#findWritten(written, count, below);
    this.#looked = 0;
    const rest = this.#findAround(row, count, below);
    if (this.#looked > WIDE_SHARE * this.#passed.length) this.#writeDown(row);
    return rest;
  }

  #findAround(row: number, count: number, below: number): number {
    const grids = this.#grids;
    for (let group = 0; group < grids.length; group++) this.#openRing(row, group, 0);
    let limit = below;
    for (;;) {
      const group = this.#mostPromising();
      const atLeast = group === -1 ? Infinity : (this.#atLeast[group] ?? Infinity);
      if (atLeast >= limit) return Math.min(atLeast, limit, this.found.keepLeast(count));
      const ring = this.#ring[group] ?? 0;
      limit = this.#lookAtRing(row, group, ring, count, limit);
      this.#openRing(row, group, ring + 1);
    }
  }

  #openRing(row: number, group: number, ring: number): void {
    const { rows, pairCostAtLeast } = this.#problem;
    const grid = this.#grids[group];
    this.#ring[group] = ring;
    const meters = grid?.metersToRing(rows.x[row] ?? 0, rows.y[row] ?? 0, ring) ?? Infinity;
    this.#atLeast[group] =
      grid === undefined || meters === Infinity
        ? Infinity
        : pairCostAtLeast(row, group, meters) + grid.leastPrice;
  }

  #mostPromising(): number {
    let best = -1;
    let bestAtLeast = Infinity;
    for (let group = 0; group < this.#atLeast.length; group++) {
      const atLeast = this.#atLeast[group] ?? Infinity;
      if (atLeast >= bestAtLeast) continue;
      bestAtLeast = atLeast;
      best = group;
    }
    return best;
  }

  /** Returns the new limit: whatever costs that much or more is not among the `count` cheapest. */
  #lookAtRing(row: number, group: number, ring: number, count: number, below: number): number {
    const grid = this.#grids[group];
    if (grid === undefined) return below;
    const middleEast = grid.eastOf(this.#problem.rows.x[row] ?? 0);
    const middleNorth = grid.northOf(this.#problem.rows.y[row] ?? 0);
    const southmost = Math.max(0, middleNorth - ring);
    const northmost = Math.min(grid.cellsNorth - 1, middleNorth + ring);
    // With a higher price nobody in this ring is cheap enough, whatever the exact distance.
    const priceBelow = below - ((this.#atLeast[group] ?? 0) - grid.leastPrice);
    this.#nearCount = 0;
    for (let north = southmost; north <= northmost; north++) {
      const isEdge = Math.abs(north - middleNorth) === ring;
      const step = isEdge ? 1 : 2 * ring;
      const eastmost = Math.min(grid.cellsEast - 1, middleEast + ring);
      let east = middleEast - ring;
      if (east < 0) east = isEdge ? 0 : middleEast + ring;
      for (; east <= eastmost; east += step) this.#noteCell(grid, north * grid.cellsEast + east, priceBelow);
    }
    return this.#lookAtNear(row, count, below);
  }

  #noteCell(grid: ColumnGrid, cell: number, priceBelow: number): void {
    const end = grid.starts[cell + 1] ?? 0;
    for (let index = grid.starts[cell] ?? 0; index < end; index++) {
      const column = grid.items[index] ?? 0;
      if ((this.#price[column] ?? 0) >= priceBelow || this.#passed[column] === this.#search) continue;
      this.#near[this.#nearCount++] = column;
    }
  }

  #lookAtNear(row: number, count: number, below: number): number {
    const { found } = this;
    this.#problem.pairCosts(row, this.#near, this.#nearCount, this.#nearCosts);
    this.#looked += this.#nearCount;
    let limit = below;
    for (let index = 0; index < this.#nearCount; index++) {
      const column = this.#near[index] ?? 0;
      const cost = this.#nearCosts[index] ?? 0;
      const priced = cost + (this.#price[column] ?? 0);
      if (priced >= limit) continue;
      found.add(column, cost, priced);
      if (found.count === 2 * count) limit = Math.min(limit, found.keepLeast(count));
    }
    return limit;
  }

  #findWritten(costs: Float64Array, count: number, below: number): number {
    const { found } = this;
    const price = this.#price;
    let limit = below;
    for (let column = 0; column < costs.length; column++) {
      const cost = costs[column] ?? 0;
      const priced = cost + (price[column] ?? 0);
      if (priced >= limit || this.#passed[column] === this.#search) continue;
      found.add(column, cost, priced);
      if (found.count === 2 * count) limit = Math.min(limit, found.keepLeast(count));
    }
    return Math.min(limit, found.keepLeast(count));
  }

  #writeDown(row: number): void {
    const columns = this.#passed.length;
    if ((this.#written.size + 1) * columns > WRITTEN_COSTS_MAX) return;
    const costs = new Float64Array(columns);
    this.#problem.pairCosts(row, this.#everyColumn, columns, costs);
    this.#written.set(row, costs);
  }
}

function gridsOf({ columns: { x, y, group } }: MatchingProblem): readonly ColumnGrid[] {
  const frame = frameOf(x, y);
  return columnsByGroup(group).map((columns) => new ColumnGrid(columns, x, y, frame));
}

function columnsByGroup(group: Int32Array): Int32Array[] {
  const groups = group.reduce((most, value) => Math.max(most, value + 1), 0);
  const sizes = new Int32Array(groups);
  for (const value of group) sizes[value] = (sizes[value] ?? 0) + 1;
  const lists = Array.from(sizes, (size) => new Int32Array(size));
  const next = new Int32Array(groups);
  group.forEach((value, column) => {
    const list = lists[value];
    const place = next[value] ?? 0;
    if (list !== undefined) list[place] = column;
    next[value] = place + 1;
  });
  return lists;
}
