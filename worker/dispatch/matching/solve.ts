import { Auction, type Standing } from "./auction.ts";
import { Budget, SEARCH_UNITS } from "./budget.ts";
import { improve } from "./improve.ts";
import type { Deadline, MatchingProblem } from "./match.ts";
import { Offers } from "./offers.ts";
import { ColumnSearch } from "./search.ts";
import { select } from "./select.ts";

/** How many offers a row keeps when a round of the auction has shown the prices. */
const OFFERS_KEPT = 32;
/** An auction's increment, against how far the cheapest offers of a row are apart. */
const INCREMENT_SHARE = 1 / 64;
/** Between the increments of two rounds. Small ones make prices exact, large ones let them find their level fast. */
const INCREMENT_STEP = 8;
/** Where there are fewer columns, a price war is certain, and the first round's increment is the whole spread. */
const SCARCE_COLUMNS_PER_ROW = 3;
/** A round with more bids for each row is a price war, which a larger increment ends. The first round is often enough. */
const BIDS_PER_ROW_FIRST = 60;
const BIDS_PER_ROW_RISING = 2;
const BIDS_PER_ROW_FALLING = 30;
export type Solution = {
  /** For each row its column, or -1. */
  readonly columnOf: Int32Array;
  /** For each row the cheapest of all columns but its own, or -1. */
  readonly runnerUpOf: Int32Array;
  /** For each column, what rows pay on top of the cost; not negative. */
  readonly price: Float64Array;
  /** No matching costs less. */
  readonly leastCost: number;
  readonly isComplete: boolean;
  readonly workings: Workings;
};

/** How far the solver came. Where nearly the same rows meet the same columns, it can go on from there. */
export type Workings = {
  readonly search: ColumnSearch;
  readonly offers: Offers;
  readonly standing: Standing;
  /** For each row the columns that cost least, whatever their price, or -1. */
  readonly firstChoice: Int32Array;
  readonly secondChoice: Int32Array;
  /** Of the present round of the auction, or of the last one. */
  readonly increment: number;
};

/** `was`: for each row which one it was, or -1. Those that were there cost what they cost before. */
export type Before = { readonly workings: Workings; readonly was: Int32Array };

/**
 * The best matching. An auction finds prices that are nearly right, which tell what few pairs matter; shortest augmenting paths
 * make the matching of those the best one; then every row looks whether a column that it was not offered would be cheaper at
 * these prices, until none would. Then the prices prove the matching the best of all pairs.
 */
export function solve(problem: MatchingProblem, deadline: Deadline): Solution {
  const solver = new Solver(problem, deadline);
  const isComplete = solver.offerCheapest() && solver.findPrices() && solver.prove();
  return solver.best(isComplete);
}

/** The same from where the best matching of other rows was found: what did not change is not looked at again. */
export function solveFrom(before: Before, problem: MatchingProblem, deadline: Deadline): Solution {
  const solver = new Solver(problem, deadline, before);
  const isComplete = solver.offerCheapest() && solver.prove();
  return solver.best(isComplete);
}

class Solver {
  readonly #problem: MatchingProblem;
  readonly #alone: Float64Array;
  readonly #offers: Offers;
  readonly #search: ColumnSearch;
  readonly #standing: Standing;
  readonly #budget: Budget;
  readonly #auction: Auction;
  /** Of the present round of the auction, or of the last one. */
  #increment = 1;
  /** The cheapest matching so far, and what it costs. */
  readonly #bestColumnOf: Int32Array;
  /** For each row the columns that cost least, whatever their price, or -1. */
  readonly #firstChoice: Int32Array;
  readonly #secondChoice: Int32Array;
  #bestCost = Infinity;
  #leastCost = -Infinity;

  constructor(problem: MatchingProblem, deadline: Deadline, before?: Before) {
    const rows = problem.rows.alone.length;
    const columns = problem.columns.x.length;
    this.#problem = problem;
    this.#alone = problem.rows.alone;
    this.#search = new ColumnSearch(problem, before?.workings.search);
    this.#offers = new Offers(problem, this.#search);
    this.#standing = {
      columnOf: new Int32Array(rows).fill(-1),
      rowOf: new Int32Array(columns).fill(-1),
      price: before?.workings.standing.price.slice() ?? new Float64Array(columns),
    };
    this.#bestColumnOf = new Int32Array(rows).fill(-1);
    this.#firstChoice = new Int32Array(rows).fill(-1);
    this.#secondChoice = new Int32Array(rows).fill(-1);
    this.#budget = new Budget(deadline);
    this.#auction = new Auction(this.#offers, this.#standing, this.#budget);
    if (before !== undefined) this.#takeOver(before);
    for (let row = 0; row < rows; row++) if ((before?.was[row] ?? -1) === -1) this.#offers.noteLeastCost(row);
  }

  #takeOver({ workings, was: wasOf }: Before): void {
    const { search, offers, standing, firstChoice, secondChoice, increment } = workings;
    this.#increment = increment;
    wasOf.forEach((was, row) => {
      if (was === -1) return;
      this.#search.takeOver(row, search, was);
      this.#offers.takeOver(row, offers, was);
      this.#firstChoice[row] = firstChoice[was] ?? -1;
      this.#secondChoice[row] = secondChoice[was] ?? -1;
      const column = standing.columnOf[was] ?? -1;
      this.#standing.columnOf[row] = column;
      if (column !== -1) this.#standing.rowOf[column] = row;
    });
  }

  /** The steps return whether there was time to finish them. */
  offerCheapest(): boolean {
    // Whatever the prices: who is cheapest without them is the runner-up of an explanation.
    this.#search.notePrices(new Float64Array(this.#offers.columns));
    for (let row = 0; row < this.#offers.rows; row++) {
      if ((this.#offers.end[row] ?? 0) > (this.#offers.start[row] ?? 0)) continue;
      if (this.#budget.spend(SEARCH_UNITS)) return false;
      this.#offers.extend(row, Infinity);
      const first = this.#offers.cheapestBut(row, -1);
      this.#firstChoice[row] = first;
      this.#secondChoice[row] = this.#offers.cheapestBut(row, first);
    }
    this.#search.notePrices(this.#standing.price);
    return true;
  }

  /** Rounds of an auction: with larger and larger increments while there are price wars, then with smaller ones again. */
  findPrices(): boolean {
    const { rows, columns } = this.#offers;
    const spread = this.#spread();
    const last = Math.ceil(spread * INCREMENT_SHARE);
    const isScarce = columns < SCARCE_COLUMNS_PER_ROW * rows;
    let bidsPerRow = isScarce ? BIDS_PER_ROW_RISING : BIDS_PER_ROW_FIRST;
    this.#increment = isScarce ? spread : last;
    while (!this.#holdRound(bidsPerRow * rows)) {
      if (this.#budget.spend(0)) return false;
      bidsPerRow = BIDS_PER_ROW_RISING;
      this.#increment *= INCREMENT_STEP;
    }
    while (this.#increment > last) {
      this.#increment = Math.max(last, Math.ceil(this.#increment / INCREMENT_STEP));
      this.#standing.columnOf.fill(-1);
      this.#standing.rowOf.fill(-1);
      this.#holdRound(BIDS_PER_ROW_FALLING * rows);
      if (this.#budget.spend(0)) return false;
    }
    return true;
  }

  /** Whether the prices found their level. */
  #holdRound(bidsMax: number): boolean {
    const { price, columnOf } = this.#standing;
    const outcome = this.#auction.run(this.#increment, bidsMax);
    this.#noteMatching();
    this.#noteLeastCost();
    if (outcome === "deadline") return false;
    if (outcome === "everybody-served") this.#lowerPrices();
    this.#offers.keepCheapest(OFFERS_KEPT, price, columnOf);
    return outcome === "everybody-served";
  }

  /** How far the cheapest offers of a row are apart, on average. */
  #spread(): number {
    const { rows, start, end, cost } = this.#offers;
    let sum = 0;
    for (let row = 0; row < rows; row++) {
      let least = Infinity;
      let most = -Infinity;
      for (let at = start[row] ?? 0; at < (end[row] ?? 0); at++) {
        least = Math.min(least, cost[at] ?? 0);
        most = Math.max(most, cost[at] ?? 0);
      }
      sum += Math.max(0, most - least);
    }
    return Math.max(1, Math.round(sum / Math.max(1, rows)));
  }

  /** By the increment, which a row bids above what the column is worth to it. */
  #lowerPrices(): void {
    const { price } = this.#standing;
    const increment = this.#increment;
    for (let column = 0; column < price.length; column++) {
      price[column] = Math.max(0, (price[column] ?? 0) - increment);
    }
    this.#offers.notePriceDrop(price, increment);
  }

  /** Until no row would rather have a column that it is not offered. */
  prove(): boolean {
    for (;;) {
      const { outcome, drop } = improve(this.#offers, this.#standing, this.#budget);
      this.#offers.notePricesFallen(this.#standing.price, drop);
      this.#noteMatching();
      if (outcome === "deadline") return false;
      const revealed = this.#reveal();
      if (revealed === "deadline") return false;
      if (revealed === "nothing") return true;
    }
  }

  /** Offers every row what it may prefer to what it has, at the present prices. */
  #reveal(): "something" | "nothing" | "deadline" {
    const { columnOf, price } = this.#standing;
    let revealed: "something" | "nothing" = "nothing";
    for (let row = 0; row < this.#offers.rows; row++) {
      const isAlone = columnOf[row] === -1;
      const pays = isAlone ? (this.#alone[row] ?? 0) : this.#offers.leastPriced(row, price);
      if ((this.#offers.rest[row] ?? 0) >= pays) continue;
      if (this.#budget.spend(SEARCH_UNITS)) return "deadline";
      // A little more than is asked, so that the next small fall of a price does not raise the question again.
      if (this.#offers.extend(row, pays + this.#increment) < pays) revealed = "something";
    }
    return revealed;
  }

  #noteMatching(): void {
    const { columnOf } = this.#standing;
    let cost = 0;
    for (let row = 0; row < columnOf.length; row++) {
      const column = columnOf[row] ?? -1;
      cost += column === -1 ? (this.#alone[row] ?? 0) : this.#offers.costOf(row, column);
    }
    if (cost >= this.#bestCost) return;
    this.#bestCost = cost;
    this.#bestColumnOf.set(columnOf);
  }

  #noteLeastCost(): void {
    this.#leastCost = Math.max(this.#leastCost, this.#offers.leastCost(this.#standing.price));
  }

  best(isComplete: boolean): Solution {
    this.#noteMatching();
    this.#noteLeastCost();
    if (!isComplete) this.#serveRest();
    const columnOf = this.#bestColumnOf;
    const runnerUpOf = columnOf.map(
      (column, row) =>
        (this.#firstChoice[row] === column ? this.#secondChoice[row] : this.#firstChoice[row]) ?? -1,
    );
    return {
      columnOf,
      runnerUpOf,
      price: this.#standing.price,
      leastCost: this.#leastCost,
      isComplete,
      workings: {
        search: this.#search,
        offers: this.#offers,
        standing: this.#standing,
        firstChoice: this.#firstChoice,
        secondChoice: this.#secondChoice,
        increment: this.#increment,
      },
    };
  }

  /**
   * Gives every row that is alone the cheapest column that nobody has, the costliest to leave alone first. Time is up, so it
   * looks at those few columns only.
   */
  #serveRest(): void {
    const columnOf = this.#bestColumnOf;
    const isTaken = new Uint8Array(this.#offers.columns);
    for (const column of columnOf) if (column !== -1) isTaken[column] = 1;
    const free = Int32Array.from(isTaken.keys().filter((column) => isTaken[column] === 0));
    const alone = Int32Array.from(columnOf.keys().filter((row) => columnOf[row] === -1));
    alone.sort((a, b) => (this.#alone[b] ?? 0) - (this.#alone[a] ?? 0) || a - b);
    const search = new ColumnSearch(select(this.#problem, alone, free));
    const price = new Float64Array(free.length);
    search.notePrices(price);
    alone.forEach((row, place) => {
      search.findCheapest(place, 1, this.#alone[row] ?? 0, NONE);
      if (search.found.count === 0) return;
      const column = search.found.column[0] ?? -1;
      columnOf[row] = free[column] ?? -1;
      price[column] = Infinity;
    });
  }
}

const NONE = new Int32Array(0);
