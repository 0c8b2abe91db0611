import { Found } from "./found.ts";
import { ColumnGrid, frameOf } from "./grid.ts";
import type { MatchingProblem } from "./match.ts";
import { CHUNK_PAIRS, SeenPairs } from "./seen.ts";

/** After how many searches the least price of every group is noted again. */
const SEARCHES_PER_NOTE = 256;
/** Pairs that are kept in mind at most, at 12 bytes each. Beyond, all are forgotten. */
const SEEN_PAIRS_MAX = 8_000_000;

/**
 * Finds the columns that are cheapest for a row once their prices are added, without looking at most of the others: ring by
 * ring around the row, always where the cheapest may still be, until nothing beyond can be cheaper than what was found. What a
 * row has looked at is kept in mind: the next search of the row begins with it, and goes on with the rings after it.
 */
export class ColumnSearch {
  readonly found: Found;
  readonly #problem: MatchingProblem;
  #price: Float64Array;
  readonly #grids: readonly ColumnGrid[];
  readonly #seen: SeenPairs;
  readonly #seenPairsMax: number;
  /** Whether the row has begun to look at rings; if so, for each row and group the next ring and what a column there costs at least. */
  readonly #hasBegun: Uint8Array;
  readonly #ring: Int32Array;
  readonly #atLeast: Float64Array;
  /** Columns that the present search passes over carry its number. */
  readonly #passed: Int32Array;
  /** The columns of the ring at hand, and what they cost the row. */
  readonly #near: Int32Array;
  readonly #nearCosts: Float64Array;
  #nearCount = 0;
  #search = 0;

  /** `before`: has the same columns. */
  constructor(problem: MatchingProblem, before?: ColumnSearch, seenPairsMax = SEEN_PAIRS_MAX) {
    const rows = problem.rows.alone.length;
    const columns = problem.columns.x.length;
    this.found = new Found(256);
    this.#problem = problem;
    this.#price = new Float64Array(columns);
    this.#grids = before === undefined ? gridsOf(problem) : before.#grids;
    this.#seenPairsMax = seenPairsMax;
    this.#seen = before === undefined ? new SeenPairs(rows) : new SeenPairs(rows, before.#seen);
    this.#hasBegun = new Uint8Array(rows);
    this.#ring = new Int32Array(rows * this.#grids.length);
    this.#atLeast = new Float64Array(rows * this.#grids.length);
    this.#passed = new Int32Array(columns);
    this.#near = new Int32Array(columns);
    this.#nearCosts = new Float64Array(columns);
  }

  /** From now on these are the prices, one for each column and none negative. To be called again when one has fallen. */
  notePrices(price: Float64Array): void {
    this.#price = price;
    for (const grid of this.#grids) grid.notePrices(price);
  }

  /** The row is the one that `before`, which this was made from, knows as `was`. */
  takeOver(row: number, before: ColumnSearch, was: number): void {
    const groups = this.#grids.length;
    this.#seen.takeOver(row, before.#seen, was);
    this.#hasBegun[row] = before.#hasBegun[was] ?? 0;
    for (let group = 0; group < groups; group++) {
      this.#ring[row * groups + group] = before.#ring[was * groups + group] ?? 0;
      this.#atLeast[row * groups + group] = before.#atLeast[was * groups + group] ?? 0;
    }
  }

  /** What the row pays at least, whatever the column and its price. */
  leastCost(row: number): number {
    this.#openFirstRings(row);
    let least = Infinity;
    for (let group = 0; group < this.#grids.length; group++) {
      least = Math.min(least, this.#atLeast[row * this.#grids.length + group] ?? Infinity);
    }
    return least;
  }

  /** What every column that is not in `known` costs the row at least, price included, without looking at one more of them. */
  leastPriced(row: number, known: Int32Array): number {
    this.#begin(row, known);
    const { count, first, next, column, cost } = this.#seen;
    const group = this.#mostPromising(row);
    let least = group === -1 ? Infinity : this.#atLeastOf(row, group);
    let chunk = first[row] ?? 0;
    for (let left = count[row] ?? 0; left > 0; left -= CHUNK_PAIRS) {
      const end = chunk * CHUNK_PAIRS + Math.min(left, CHUNK_PAIRS);
      for (let at = chunk * CHUNK_PAIRS; at < end; at++) {
        const candidate = column[at] ?? 0;
        const priced = (cost[at] ?? 0) + (this.#price[candidate] ?? 0);
        if (priced < least && this.#passed[candidate] !== this.#search) least = priced;
      }
      chunk = next[chunk] ?? 0;
    }
    return least;
  }

  /**
   * Leaves in `found` the `count` columns of least cost and price, of those that cost less than `below` and are not in
   * `known`, in no order. Returns what every other column that is not in `known` costs at least, price included.
   */
  findCheapest(row: number, count: number, below: number, known: Int32Array): number {
    this.#begin(row, known);
    const { found } = this;
    found.reserve(2 * count);
    found.count = 0;
    let limit = this.#findSeen(row, count, below);
    for (;;) {
      const group = this.#mostPromising(row);
      const atLeast = group === -1 ? Infinity : this.#atLeastOf(row, group);
      if (atLeast >= limit) return Math.min(atLeast, limit, found.keepLeast(count));
      const ring = this.#ring[row * this.#grids.length + group] ?? 0;
      this.#gatherRing(row, group, ring);
      limit = this.#lookAtNear(row, count, limit);
      this.#openRing(row, group, ring + 1);
    }
  }

  /** A search of the row, which passes over `known`. */
  #begin(row: number, known: Int32Array): void {
    if (this.#search++ % SEARCHES_PER_NOTE === 0) this.notePrices(this.#price);
    for (const column of known) this.#passed[column] = this.#search;
    if (this.#seen.size > this.#seenPairsMax) {
      this.#seen.forgetAll();
      this.#hasBegun.fill(0);
    }
    this.#openFirstRings(row);
  }

  #openFirstRings(row: number): void {
    if (this.#hasBegun[row] === 1) return;
    this.#hasBegun[row] = 1;
    for (let group = 0; group < this.#grids.length; group++) this.#openRing(row, group, 0);
  }

  #openRing(row: number, group: number, ring: number): void {
    const { rows, pairCostAtLeast } = this.#problem;
    const place = row * this.#grids.length + group;
    const meters = this.#grids[group]?.metersToRing(rows.x[row] ?? 0, rows.y[row] ?? 0, ring) ?? Infinity;
    this.#ring[place] = ring;
    this.#atLeast[place] = meters === Infinity ? Infinity : pairCostAtLeast(row, group, meters);
  }

  /** Of all columns of the group that the row has not looked at, price included. */
  #atLeastOf(row: number, group: number): number {
    return (
      (this.#atLeast[row * this.#grids.length + group] ?? Infinity) + (this.#grids[group]?.leastPrice ?? 0)
    );
  }

  #mostPromising(row: number): number {
    let best = -1;
    let bestAtLeast = Infinity;
    for (let group = 0; group < this.#grids.length; group++) {
      const atLeast = this.#atLeastOf(row, group);
      if (atLeast >= bestAtLeast) continue;
      bestAtLeast = atLeast;
      best = group;
    }
    return best;
  }

  #gatherRing(row: number, group: number, ring: number): void {
    this.#nearCount = 0;
    const grid = this.#grids[group];
    if (grid === undefined) return;
    const middleEast = grid.eastOf(this.#problem.rows.x[row] ?? 0);
    const middleNorth = grid.northOf(this.#problem.rows.y[row] ?? 0);
    const southmost = Math.max(0, middleNorth - ring);
    const northmost = Math.min(grid.cellsNorth - 1, middleNorth + ring);
    const westmost = Math.max(0, middleEast - ring);
    const eastmost = Math.min(grid.cellsEast - 1, middleEast + ring);
    for (let north = southmost; north <= northmost; north++) {
      const offset = north * grid.cellsEast;
      if (Math.abs(north - middleNorth) === ring)
        this.#gatherCells(grid, offset + westmost, offset + eastmost);
      else {
        if (westmost === middleEast - ring) this.#gatherCells(grid, offset + westmost, offset + westmost);
        if (eastmost === middleEast + ring) this.#gatherCells(grid, offset + eastmost, offset + eastmost);
      }
    }
  }

  /** The columns of neighbouring cells lie together. */
  #gatherCells(grid: ColumnGrid, first: number, last: number): void {
    const { items, starts } = grid;
    const end = starts[last + 1] ?? 0;
    for (let index = starts[first] ?? 0; index < end; index++)
      this.#near[this.#nearCount++] = items[index] ?? 0;
  }

  /** Returns the new limit: whatever costs that much or more is not among the `count` cheapest. */
  #lookAtNear(row: number, count: number, below: number): number {
    this.#problem.pairCosts(row, this.#near, this.#nearCount, this.#nearCosts);
    let limit = below;
    for (let index = 0; index < this.#nearCount; index++) {
      const column = this.#near[index] ?? 0;
      const cost = this.#nearCosts[index] ?? 0;
      if (cost === Infinity) continue;
      this.#seen.add(row, column, cost);
      limit = this.#consider(column, cost, count, limit);
    }
    return limit;
  }

  #findSeen(row: number, count: number, below: number): number {
    const { count: counts, first, next, column, cost } = this.#seen;
    let limit = below;
    let chunk = first[row] ?? 0;
    for (let left = counts[row] ?? 0; left > 0; left -= CHUNK_PAIRS) {
      const end = chunk * CHUNK_PAIRS + Math.min(left, CHUNK_PAIRS);
      for (let at = chunk * CHUNK_PAIRS; at < end; at++) {
        limit = this.#consider(column[at] ?? 0, cost[at] ?? 0, count, limit);
      }
      chunk = next[chunk] ?? 0;
    }
    return limit;
  }

  #consider(column: number, cost: number, count: number, limit: number): number {
    const priced = cost + (this.#price[column] ?? 0);
    if (priced >= limit || this.#passed[column] === this.#search) return limit;
    this.found.add(column, cost, priced);
    return this.found.count === 2 * count ? Math.min(limit, this.found.keepLeast(count)) : limit;
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
