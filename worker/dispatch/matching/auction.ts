import { SEARCH_UNITS, type Budget } from "./budget.ts";
import type { Offers } from "./offers.ts";

/** Who has whom, and at which prices: none is negative, and rows pay them on top of the costs. -1 is nobody. */
export type Standing = {
  readonly columnOf: Int32Array;
  readonly rowOf: Int32Array;
  readonly price: Float64Array;
};

export type AuctionOutcome = "everybody-served" | "too-many-bids" | "deadline";

/**
 * Rows without a column bid for the one that is cheapest for them, price included: as much as it is better than their second
 * choice, and an increment on top. Whoever had it bids again. At the end every row pays at most the increment more than for
 * its best choice at these prices, so that the matching is within one increment per row of the best one, but for columns that
 * have a price and no row (Bertsekas 1988). A row is offered more when its best offer is more than the increment dearer than
 * what it is not offered: its `rest` is a choice, too.
 */
export class Auction {
  readonly #offers: Offers;
  readonly #standing: Standing;
  readonly #budget: Budget;
  /** What the row at hand would choose, -1 for staying alone, and what its two cheapest choices cost it. */
  #choice = -1;
  #first = 0;
  #second = 0;

  constructor(offers: Offers, standing: Standing, budget: Budget) {
    this.#offers = offers;
    this.#standing = standing;
    this.#budget = budget;
  }

  run(increment: number, bidsMax: number): AuctionOutcome {
    const waiting = new WaitingRows(this.#standing.columnOf);
    let bids = 0;
    for (let row = waiting.take(); row !== -1; row = waiting.take()) {
      if (bids++ === bidsMax) return "too-many-bids";
      if (this.#budget.spend(1) || !this.#chooseFor(row, increment)) return "deadline";
      if (this.#choice === -1) continue;
      const outbid = this.#bid(row, increment);
      if (outbid !== -1) waiting.add(outbid);
    }
    return "everybody-served";
  }

  /** Returns whether there was time enough. */
  #chooseFor(row: number, increment: number): boolean {
    this.#compareOffers(row);
    while (this.#first > (this.#offers.rest[row] ?? 0) + increment) {
      if (this.#budget.spend(SEARCH_UNITS)) return false;
      this.#offers.extend(row, this.#offers.alone[row] ?? 0);
      this.#compareOffers(row);
    }
    this.#second = Math.max(this.#first, Math.min(this.#second, this.#offers.rest[row] ?? 0));
    return true;
  }

  #compareOffers(row: number): void {
    const { column, cost } = this.#offers;
    const { price } = this.#standing;
    const alone = this.#offers.alone[row] ?? 0;
    let choice = -1;
    let first = alone;
    let second = alone;
    const end = this.#offers.end[row] ?? 0;
    for (let at = this.#offers.start[row] ?? 0; at < end; at++) {
      const candidate = column[at] ?? 0;
      const priced = (cost[at] ?? 0) + (price[candidate] ?? 0);
      if (priced >= second) continue;
      if (priced < first) {
        second = first;
        first = priced;
        choice = candidate;
      } else second = priced;
    }
    this.#choice = choice;
    this.#first = first;
    this.#second = second;
  }

  /** Returns the row that had the column, or -1. */
  #bid(row: number, increment: number): number {
    const { price, columnOf, rowOf } = this.#standing;
    const column = this.#choice;
    price[column] = (price[column] ?? 0) + this.#second - this.#first + increment;
    const outbid = rowOf[column] ?? -1;
    rowOf[column] = row;
    columnOf[row] = column;
    if (outbid !== -1) columnOf[outbid] = -1;
    return outbid;
  }
}

/** First come, first served. A row waits at most once, so that the ring is never full. */
class WaitingRows {
  readonly #rows: Int32Array;
  #first = 0;
  #count = 0;

  constructor(columnOf: Int32Array) {
    this.#rows = new Int32Array(columnOf.length);
    columnOf.forEach((column, row) => {
      if (column === -1) this.add(row);
    });
  }

  add(row: number): void {
    this.#rows[(this.#first + this.#count++) % this.#rows.length] = row;
  }

  take(): number {
    if (this.#count === 0) return -1;
    const row = this.#rows[this.#first] ?? -1;
    this.#first = (this.#first + 1) % this.#rows.length;
    this.#count--;
    return row;
  }
}
