import type { Costs } from "./cost.ts";
import type { Arcs, Matching } from "./matching.ts";
import type { Deadline } from "./model.ts";

/** How many couriers an order is offered more, for each that it has been offered. */
const GROWTH = 3;

/**
 * Which couriers each order is offered. A small city: all who may take it. A large one: the cheapest few, and after each
 * matching those others who would have made it cheaper, until there are none: all orders of one mall see the same few
 * nearest couriers, so the nearest alone would leave most of them without one.
 */
export class Candidates implements Arcs {
  readonly columns: number;
  readonly alone: number[];
  readonly targets: number[][] = [];
  readonly costs: number[][] = [];
  /** For each order, a cost that no courier left out is below; Infinity when nobody was left out. */
  readonly #leftOutFrom: number[] = [];
  readonly #pairCosts: Costs;

  constructor(input: {
    readonly orders: number;
    readonly couriers: number;
    readonly costs: Costs;
    /** How many couriers an order is offered at first. */
    readonly nearest: number;
  }) {
    this.columns = input.couriers;
    this.#pairCosts = input.costs;
    this.alone = Array.from({ length: input.orders }, (_, order) => input.costs.unassigned(order));
    for (let order = 0; order < input.orders; order++) this.#addNearest(order, input.nearest);
  }

  /**
   * Adds every pair that was left out and would improve this matching. At `none-left`, the matching is as cheap as if all
   * pairs had been in it from the start.
   */
  addImprovements(matching: Matching, deadline: Deadline): "added" | "none-left" | "deadline" {
    let added = 0;
    for (let order = 0; order < this.alone.length; order++) {
      if (deadline.hasPassed()) return "deadline";
      const worth = this.#dualOf(order, matching);
      // Prices are never positive, so a courier left out costs this order at least what the cheapest of them does.
      if (worth <= (this.#leftOutFrom[order] ?? Infinity)) continue;
      if (this.#addCheapestBelow(order, worth, matching.price)) added++;
    }
    return added > 0 ? "added" : "none-left";
  }

  /**
   * For when there is no time left to improve: gives every order without a courier, in their order, the cheapest one that
   * nobody has, so that none waits while couriers idle whom it was not offered.
   */
  serveRest(columnOf: Int32Array): void {
    const taken = new Set(columnOf);
    for (let order = 0; order < this.alone.length; order++) {
      if (columnOf[order] !== -1 || this.#leftOutFrom[order] === Infinity) continue;
      let best = -1;
      let bestCost = this.alone[order] ?? 0;
      for (let courier = 0; courier < this.columns; courier++) {
        if (taken.has(courier)) continue;
        const cost = this.#pairCosts.pair(order, courier);
        if (cost >= bestCost) continue;
        bestCost = cost;
        best = courier;
      }
      if (best === -1) continue;
      columnOf[order] = best;
      taken.add(best);
    }
  }

  /** What the matching pays for the order: no arc of the order is below it once its column's price is taken off. */
  #dualOf(order: number, matching: Matching): number {
    const column = matching.columnOf[order] ?? -1;
    if (column === -1) return this.alone[order] ?? 0;
    const index = (this.targets[order] ?? []).indexOf(column);
    return (this.costs[order]?.[index] ?? 0) - (matching.price[column] ?? 0);
  }

  /**
   * Not all at once: what an order without a courier would pay is so high that every courier of the city would improve
   * the answer, while few of them are needed.
   */
  #addCheapestBelow(order: number, worth: number, price: Float64Array): boolean {
    const targets = this.targets[order] ?? [];
    const costs = this.costs[order] ?? [];
    const known = new Set(targets);
    const better: { readonly courier: number; readonly cost: number; readonly priced: number }[] = [];
    for (let courier = 0; courier < this.columns; courier++) {
      if (known.has(courier)) continue;
      const cost = this.#pairCosts.pair(order, courier);
      const priced = cost - (price[courier] ?? 0);
      if (priced < worth) better.push({ courier, cost, priced });
    }
    better.sort((a, b) => a.priced - b.priced || a.courier - b.courier);
    for (const { courier, cost } of better.slice(0, GROWTH * known.size)) {
      targets.push(courier);
      costs.push(cost);
    }
    return better.length > 0;
  }

  #addNearest(order: number, nearest: number): void {
    const targets: number[] = [];
    const costs: number[] = [];
    let leftOutFrom = Infinity;
    for (let courier = 0; courier < this.columns; courier++) {
      const cost = this.#pairCosts.pair(order, courier);
      if (cost === Infinity) continue;
      if (targets.length === nearest) {
        const worst = costs.at(-1) ?? Infinity;
        leftOutFrom = Math.min(leftOutFrom, Math.max(cost, worst));
        if (cost >= worst) continue;
        targets.pop();
        costs.pop();
      }
      insertSorted({ targets, costs, keepSorted: nearest < this.columns }, courier, cost);
    }
    this.targets.push(targets);
    this.costs.push(costs);
    this.#leftOutFrom.push(leftOutFrom);
  }
}

function insertSorted(
  list: { readonly targets: number[]; readonly costs: number[]; readonly keepSorted: boolean },
  courier: number,
  cost: number,
): void {
  let place = list.targets.length;
  if (list.keepSorted) {
    while (place > 0 && (list.costs[place - 1] ?? 0) > cost) place--;
  }
  list.targets.splice(place, 0, courier);
  list.costs.splice(place, 0, cost);
}
