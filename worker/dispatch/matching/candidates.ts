import type { Deadline } from "./match.ts";
import type { Arcs, PathMatching } from "./paths.ts";

/** How many columns a row is offered more, for each that it has been offered. */
const GROWTH = 3;

/**
 * Which columns each row is offered. Few pairs: all of them. Many: the cheapest few, and after each matching those others
 * who would have made it cheaper, until there are none: all orders of one mall see the same few nearest couriers, so the
 * nearest alone would leave most of them without one.
 */
export class Candidates implements Arcs {
  readonly columns: number;
  readonly alone: number[];
  readonly targets: number[][] = [];
  readonly costs: number[][] = [];
  /** For each row, a cost that no column left out is below; Infinity when nobody was left out. */
  readonly #leftOutFrom: number[] = [];
  readonly #pairCost: (row: number, column: number) => number;

  constructor(input: {
    readonly rows: number;
    readonly columns: number;
    readonly pairCost: (row: number, column: number) => number;
    readonly alone: (row: number) => number;
    /** How many columns a row is offered at first. */
    readonly nearest: number;
  }) {
    this.columns = input.columns;
    this.#pairCost = input.pairCost;
    this.alone = Array.from({ length: input.rows }, (_, row) => input.alone(row));
    for (let row = 0; row < input.rows; row++) this.#addNearest(row, input.nearest);
  }

  /**
   * Adds every pair that was left out and would improve this matching. At `none-left`, the matching is as cheap as if all
   * pairs had been in it from the start.
   */
  addImprovements(matching: PathMatching, deadline: Deadline): "added" | "none-left" | "deadline" {
    let added = 0;
    for (let row = 0; row < this.alone.length; row++) {
      if (deadline.hasPassed()) return "deadline";
      const worth = this.#dualOf(row, matching);
      // Prices are never positive, so a column left out costs this row at least what the cheapest of them does.
      if (worth <= (this.#leftOutFrom[row] ?? Infinity)) continue;
      if (this.#addCheapestBelow(row, worth, matching.price)) added++;
    }
    return added > 0 ? "added" : "none-left";
  }

  /**
   * For when there is no time left to improve: gives every row without a column, in their order, the cheapest one that
   * nobody has, so that none waits while columns idle whom it was not offered.
   */
  serveRest(columnOf: Int32Array): void {
    const taken = new Set(columnOf);
    for (let row = 0; row < this.alone.length; row++) {
      if (columnOf[row] !== -1 || this.#leftOutFrom[row] === Infinity) continue;
      let best = -1;
      let bestCost = this.alone[row] ?? 0;
      for (let column = 0; column < this.columns; column++) {
        if (taken.has(column)) continue;
        const cost = this.#pairCost(row, column);
        if (cost >= bestCost) continue;
        bestCost = cost;
        best = column;
      }
      if (best === -1) continue;
      columnOf[row] = best;
      taken.add(best);
    }
  }

  /** What no matching of all pairs can cost less than, at any prices that are not positive. */
  leastCost(price: Float64Array): number {
    const ofPrices = price.reduce((sum, value) => sum + value, 0);
    return this.alone.reduce((sum, alone, row) => {
      const targets = this.targets[row] ?? [];
      const costs = this.costs[row] ?? [];
      const offered = targets.map((column, index) => (costs[index] ?? 0) - (price[column] ?? 0));
      return sum + Math.min(alone, this.#leftOutFrom[row] ?? Infinity, ...offered);
    }, ofPrices);
  }

  /** The cheapest column of all but one; the cheapest few were offered from the start. -1 when there is no other. */
  cheapestBut(row: number, column: number): number {
    const targets = this.targets[row] ?? [];
    const costs = this.costs[row] ?? [];
    let best = -1;
    let bestCost = Infinity;
    targets.forEach((target, index) => {
      const cost = costs[index] ?? Infinity;
      if (target === column || cost > bestCost || (cost === bestCost && target > best)) return;
      bestCost = cost;
      best = target;
    });
    return best;
  }

  /** What the matching pays for the row: no arc of the row is below it once its column's price is taken off. */
  #dualOf(row: number, matching: PathMatching): number {
    const column = matching.columnOf[row] ?? -1;
    if (column === -1) return this.alone[row] ?? 0;
    const index = (this.targets[row] ?? []).indexOf(column);
    return (this.costs[row]?.[index] ?? 0) - (matching.price[column] ?? 0);
  }

  /**
   * Not all at once: what a row without a column would pay is so high that every column of the city would improve
   * the answer, while few of them are needed.
   */
  #addCheapestBelow(row: number, worth: number, price: Float64Array): boolean {
    const targets = this.targets[row] ?? [];
    const costs = this.costs[row] ?? [];
    const known = new Set(targets);
    const better: { readonly column: number; readonly cost: number; readonly priced: number }[] = [];
    for (let column = 0; column < this.columns; column++) {
      if (known.has(column)) continue;
      const cost = this.#pairCost(row, column);
      const priced = cost - (price[column] ?? 0);
      if (priced < worth) better.push({ column, cost, priced });
    }
    better.sort((a, b) => a.priced - b.priced || a.column - b.column);
    for (const { column, cost } of better.slice(0, GROWTH * known.size)) {
      targets.push(column);
      costs.push(cost);
    }
    return better.length > 0;
  }

  #addNearest(row: number, nearest: number): void {
    const targets: number[] = [];
    const costs: number[] = [];
    let leftOutFrom = Infinity;
    for (let column = 0; column < this.columns; column++) {
      const cost = this.#pairCost(row, column);
      if (cost === Infinity) continue;
      if (targets.length === nearest) {
        const worst = costs.at(-1) ?? Infinity;
        leftOutFrom = Math.min(leftOutFrom, Math.max(cost, worst));
        if (cost >= worst) continue;
        targets.pop();
        costs.pop();
      }
      insertSorted({ targets, costs, keepSorted: nearest < this.columns }, column, cost);
    }
    this.targets.push(targets);
    this.costs.push(costs);
    this.#leftOutFrom.push(leftOutFrom);
  }
}

function insertSorted(
  list: { readonly targets: number[]; readonly costs: number[]; readonly keepSorted: boolean },
  column: number,
  cost: number,
): void {
  let place = list.targets.length;
  if (list.keepSorted) {
    while (place > 0 && (list.costs[place - 1] ?? 0) > cost) place--;
  }
  list.targets.splice(place, 0, column);
  list.costs.splice(place, 0, cost);
}
