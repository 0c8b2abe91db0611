import { Found } from "./found.ts";
import type { MatchingProblem } from "./match.ts";
import type { ColumnSearch } from "./search.ts";

/** How many columns a row is offered at first. */
const OFFERS_AT_FIRST = 16;
/** How many more at a time: to look again is cheap, and to sort out many is not. */
const OFFERS_MORE = 8;
/** For how many offers of each row there is room to begin with, on average. */
const ROOM_AT_FIRST = 64;

/**
 * Which columns each row is offered: not all, but enough. For each row it is known what every column that it is not offered
 * costs at least, price included, so that whoever works on the offers alone can tell when they are enough.
 *
 * The offers of a row are `column[at]` at `cost[at]`, for `at` from `start[row]` up to, not including, `end[row]`.
 */
export class Offers {
  readonly rows: number;
  readonly columns: number;
  readonly alone: Float64Array;
  readonly start: Int32Array;
  readonly end: Int32Array;
  /** What a column that the row is not offered costs it at least at the present prices. */
  readonly rest: Float64Array;
  column: Int32Array;
  cost: Float64Array;
  readonly #room: Int32Array;
  #used = 0;
  readonly #search: ColumnSearch;
  readonly #kept = new Found(256);

  constructor(problem: MatchingProblem, search: ColumnSearch) {
    this.rows = problem.rows.alone.length;
    this.columns = problem.columns.x.length;
    this.alone = problem.rows.alone;
    this.start = new Int32Array(this.rows);
    this.end = new Int32Array(this.rows);
    this.rest = new Float64Array(this.rows);
    this.column = new Int32Array(this.rows * ROOM_AT_FIRST);
    this.cost = new Float64Array(this.rows * ROOM_AT_FIRST);
    this.#room = new Int32Array(this.rows);
    this.#search = search;
  }

  /** A row that has no offers yet. */
  noteLeastCost(row: number): void {
    this.rest[row] = this.#search.leastCost(row);
  }

  /** The row is the one that `before` knows as `was`, at the same prices. */
  takeOver(row: number, before: Offers, was: number): void {
    const start = before.start[was] ?? 0;
    const end = before.end[was] ?? 0;
    this.#append(row, before.column.subarray(start, end), before.cost.subarray(start, end));
    this.rest[row] = before.rest[was] ?? 0;
  }

  /**
   * Offers the row some more columns, the cheapest with their prices, of those that cost less than `below`.
   * Returns what the cheapest of them costs with its price; Infinity when there is none.
   */
  extend(row: number, below: number): number {
    const known = this.#known(row);
    const count = known.length === 0 ? OFFERS_AT_FIRST : OFFERS_MORE;
    this.rest[row] = this.#search.findCheapest(row, count, below, known);
    const { column, cost, priced, count: added } = this.#search.found;
    this.#append(row, column.subarray(0, added), cost.subarray(0, added));
    let least = Infinity;
    for (let index = 0; index < added; index++) least = Math.min(least, priced[index] ?? Infinity);
    return least;
  }

  /** What the row pays at least at these prices: alone, or for the cheapest of its offers. */
  leastPriced(row: number, price: Float64Array): number {
    let least = this.alone[row] ?? 0;
    const end = this.end[row] ?? 0;
    for (let at = this.start[row] ?? 0; at < end; at++) {
      const priced = (this.cost[at] ?? 0) + (price[this.column[at] ?? 0] ?? 0);
      if (priced < least) least = priced;
    }
    return least;
  }

  /** The offer of the row that costs least without its price, of those of other columns than `but`; -1 when there is none. */
  cheapestBut(row: number, but: number): number {
    let cheapest = -1;
    let least = Infinity;
    const end = this.end[row] ?? 0;
    for (let at = this.start[row] ?? 0; at < end; at++) {
      const column = this.column[at] ?? 0;
      const cost = this.cost[at] ?? 0;
      if (column === but || cost > least || (cost === least && column > cheapest)) continue;
      cheapest = column;
      least = cost;
    }
    return cheapest;
  }

  /** What the column costs the row; Infinity when the row is not offered it. */
  costOf(row: number, column: number): number {
    const end = this.end[row] ?? 0;
    for (let at = this.start[row] ?? 0; at < end; at++) {
      if (this.column[at] === column) return this.cost[at] ?? 0;
    }
    return Infinity;
  }

  /** Takes back all but the `count` offers that are cheapest at these prices, and that of the column that the row has. */
  keepCheapest(count: number, price: Float64Array, columnOf: Int32Array): void {
    for (let row = 0; row < this.rows; row++) {
      const start = this.start[row] ?? 0;
      const end = this.end[row] ?? 0;
      if (end - start <= count) continue;
      const mate = columnOf[row] ?? -1;
      const mateCost = this.costOf(row, mate);
      const kept = this.#kept;
      kept.reserve(end - start);
      kept.count = 0;
      for (let at = start; at < end; at++) {
        const column = this.column[at] ?? 0;
        const cost = this.cost[at] ?? 0;
        kept.add(column, cost, cost + (price[column] ?? 0));
      }
      this.rest[row] = Math.min(this.rest[row] ?? 0, kept.keepLeast(count));
      this.#replace(row, kept);
      if (mate !== -1 && this.costOf(row, mate) === Infinity) this.#add(row, mate, mateCost);
    }
  }

  /** To be called when prices have fallen, by no more than `drop` each. */
  notePriceDrop(price: Float64Array, drop: number): void {
    for (let row = 0; row < this.rows; row++) this.rest[row] = (this.rest[row] ?? 0) - drop;
    this.#search.notePrices(price);
  }

  /** The same for those who have all looked for offers: whom the fall may matter to, looks which of the columns it has seen did fall. */
  notePricesFallen(price: Float64Array, drop: number): void {
    this.#search.notePrices(price);
    for (let row = 0; row < this.rows; row++) {
      const rest = (this.rest[row] ?? 0) - drop;
      this.rest[row] =
        rest >= this.leastPriced(row, price) ? rest : this.#search.leastPriced(row, this.#known(row));
    }
  }

  /** No matching of all pairs costs less than this: what the rows pay at least at these prices, without the prices. */
  leastCost(price: Float64Array): number {
    let least = 0;
    for (let row = 0; row < this.rows; row++) {
      least += Math.min(this.leastPriced(row, price), this.rest[row] ?? Infinity);
    }
    for (let column = 0; column < this.columns; column++) least -= price[column] ?? 0;
    return least;
  }

  #known(row: number): Int32Array {
    return this.column.subarray(this.start[row], this.end[row]);
  }

  /** By no more offers than the row has. */
  #replace(row: number, { column, cost, count }: Found): void {
    const start = this.start[row] ?? 0;
    this.column.set(column.subarray(0, count), start);
    this.cost.set(cost.subarray(0, count), start);
    this.end[row] = start + count;
  }

  /** Where there is room for it. */
  #add(row: number, column: number, cost: number): void {
    const end = this.end[row] ?? 0;
    this.column[end] = column;
    this.cost[end] = cost;
    this.end[row] = end + 1;
  }

  #append(row: number, column: Int32Array, cost: Float64Array): void {
    const have = (this.end[row] ?? 0) - (this.start[row] ?? 0);
    const need = have + column.length;
    if (need > (this.#room[row] ?? 0)) this.#move(row, 2 * need);
    const end = this.end[row] ?? 0;
    this.column.set(column, end);
    this.cost.set(cost, end);
    this.end[row] = end + column.length;
  }

  /** To the end of the lists, where there is room for more. */
  #move(row: number, room: number): void {
    if (this.#used + room > this.column.length) this.#grow(2 * (this.#used + room));
    const start = this.start[row] ?? 0;
    const end = this.end[row] ?? 0;
    this.column.copyWithin(this.#used, start, end);
    this.cost.copyWithin(this.#used, start, end);
    this.start[row] = this.#used;
    this.end[row] = this.#used + end - start;
    this.#room[row] = room;
    this.#used += room;
  }

  #grow(capacity: number): void {
    const column = new Int32Array(capacity);
    const cost = new Float64Array(capacity);
    column.set(this.column);
    cost.set(this.cost);
    this.column = column;
    this.cost = cost;
  }
}
