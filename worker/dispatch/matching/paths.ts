import { MinimumHeap } from "./heap.ts";
import type { Deadline } from "./match.ts";

/**
 * Minimum-cost matching of rows (orders) to columns (couriers) over the arcs that are given, where every row may also
 * stay alone at a cost of its own. By shortest augmenting paths: rows enter one by one, each along the cheapest chain of
 * re-matches, so that at any moment the matching is the best one for the rows that are in (Jonker and Volgenant 1987).
 */
export type Arcs = {
  readonly columns: number;
  /** What leaving the row alone costs, for each row. */
  readonly alone: readonly number[];
  /** For each row, the columns it may be matched to, with finite costs at the same index of `costs`. */
  readonly targets: readonly (readonly number[])[];
  readonly costs: readonly (readonly number[])[];
};

export type PathMatching = {
  /** For each row its column, or -1. */
  readonly columnOf: Int32Array;
  /**
   * What taking each column would cost the others, never positive: in a complete matching no row could do better with
   * any of its arcs at `cost - price`.
   */
  readonly price: Float64Array;
  /** False when the deadline came first: the rows that were not in yet took the cheapest column that was left. */
  readonly isComplete: boolean;
};

/** Rows that matter most should come first: a deadline is the worse for those that come last. */
export function matchAtMinimumCost(arcs: Arcs, deadline: Deadline): PathMatching {
  const search = new PathSearch(arcs);
  const rows = arcs.alone.length;
  for (let row = 0; row < rows; row++) {
    if (deadline.hasPassed()) {
      for (let late = row; late < rows; late++) search.takeCheapestLeft(late);
      return { columnOf: search.columnOf, price: search.price, isComplete: false };
    }
    search.enter(row);
  }
  return { columnOf: search.columnOf, price: search.price, isComplete: true };
}

const NONE = -1;

class PathSearch {
  readonly columnOf: Int32Array;
  readonly price: Float64Array;
  readonly #arcs: Arcs;
  readonly #rowOf: Int32Array;
  /** Cost of the cheapest chain found so far that ends at the column; valid where `#seen` is the current search. */
  readonly #distance: Float64Array;
  readonly #cameFrom: Int32Array;
  /** Cost of the arc by which the chain reaches the column, and of the arc by which the row holds its column. */
  readonly #arcCost: Float64Array;
  readonly #heldCost: Float64Array;
  readonly #seen: Int32Array;
  readonly #heap = new MinimumHeap();
  #settled: number[] = [];
  /** The cheapest way to end found so far; whatever is further away is of no use. */
  #limit = Infinity;
  #search = 0;

  constructor(arcs: Arcs) {
    this.#arcs = arcs;
    this.columnOf = new Int32Array(arcs.alone.length).fill(NONE);
    this.price = new Float64Array(arcs.columns);
    this.#rowOf = new Int32Array(arcs.columns).fill(NONE);
    this.#distance = new Float64Array(arcs.columns);
    this.#cameFrom = new Int32Array(arcs.columns);
    this.#arcCost = new Float64Array(arcs.columns);
    this.#heldCost = new Float64Array(arcs.alone.length);
    this.#seen = new Int32Array(arcs.columns);
  }

  enter(row: number): void {
    this.#search++;
    this.#heap.clear();
    this.#settled = [];
    // The cheapest chain so far that ends with a row left alone.
    let aloneRow = row;
    let aloneDistance = this.#arcs.alone[row] ?? Infinity;
    this.#limit = aloneDistance;
    this.#reach(row, 0);
    for (let next = this.#nearest(); next !== undefined; next = this.#nearest()) {
      // Among equals a courier is better than none.
      if (next.distance > aloneDistance) break;
      const holder = this.#rowOf[next.column] ?? NONE;
      if (holder === NONE) {
        this.#raisePrices(next.distance);
        this.#rematch(row, next.column);
        return;
      }
      this.#settled.push(next.column);
      const rest = next.distance - ((this.#heldCost[holder] ?? 0) - (this.price[next.column] ?? 0));
      const alone = rest + (this.#arcs.alone[holder] ?? Infinity);
      if (alone < aloneDistance) {
        aloneDistance = alone;
        aloneRow = holder;
        this.#limit = Math.min(this.#limit, alone);
      }
      this.#reach(holder, rest);
    }
    this.#raisePrices(aloneDistance);
    const freed = this.columnOf[aloneRow] ?? NONE;
    this.columnOf[aloneRow] = NONE;
    if (freed !== NONE) this.#rematch(row, freed);
  }

  /** For when there is no time for chains. */
  takeCheapestLeft(row: number): void {
    const targets = this.#arcs.targets[row] ?? [];
    const costs = this.#arcs.costs[row] ?? [];
    let best = NONE;
    let bestCost = this.#arcs.alone[row] ?? Infinity;
    for (let index = 0; index < targets.length; index++) {
      const column = targets[index] ?? NONE;
      const cost = costs[index] ?? Infinity;
      if (this.#rowOf[column] === NONE && cost < bestCost) {
        bestCost = cost;
        best = column;
      }
    }
    if (best === NONE) return;
    this.columnOf[row] = best;
    this.#rowOf[best] = row;
  }

  /** Offers the row's columns to the search, `sofar` being the cost of the chain up to the row. */
  #reach(row: number, sofar: number): void {
    const targets = this.#arcs.targets[row] ?? [];
    const costs = this.#arcs.costs[row] ?? [];
    for (let index = 0; index < targets.length; index++) {
      const column = targets[index] ?? 0;
      const cost = costs[index] ?? Infinity;
      const distance = sofar + cost - (this.price[column] ?? 0);
      if (distance > this.#limit) continue;
      const isNew = this.#seen[column] !== this.#search;
      if (!isNew && distance >= (this.#distance[column] ?? 0)) continue;
      this.#seen[column] = this.#search;
      this.#distance[column] = distance;
      this.#cameFrom[column] = row;
      this.#arcCost[column] = cost;
      this.#heap.push(distance, column);
      if (this.#rowOf[column] === NONE) this.#limit = distance;
    }
  }

  /** The nearest column not yet settled. */
  #nearest(): { readonly distance: number; readonly column: number } | undefined {
    for (let first = this.#heap.pop(); first !== undefined; first = this.#heap.pop()) {
      // An entry that a cheaper one of the same column has overtaken.
      if (first.key === this.#distance[first.item]) return { distance: first.key, column: first.item };
    }
    return undefined;
  }

  /** Keeps every arc's reduced cost at or above zero after a path of this length, so that the next search is right. */
  #raisePrices(length: number): void {
    for (const column of this.#settled) {
      this.price[column] = (this.price[column] ?? 0) + (this.#distance[column] ?? 0) - length;
    }
  }

  /** Walks the chain back from its last column to the row that entered, handing every column on. */
  #rematch(entered: number, lastColumn: number): void {
    let column = lastColumn;
    for (;;) {
      const row = this.#cameFrom[column] ?? NONE;
      const previous = this.columnOf[row] ?? NONE;
      this.#rowOf[column] = row;
      this.columnOf[row] = column;
      this.#heldCost[row] = this.#arcCost[column] ?? 0;
      if (row === entered) return;
      column = previous;
    }
  }
}
