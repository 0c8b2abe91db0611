import type { Standing } from "./auction.ts";
import type { Budget } from "./budget.ts";
import type { Offers } from "./offers.ts";
import { PathSearch, type Side } from "./paths.ts";

/** Entering one member costs of the budget, besides the pairs that were looked at. */
const ENTRY_UNITS = 16;

export type Improvement = {
  readonly outcome: "best-of-offers" | "deadline";
  /** How far the price has fallen that fell most. */
  readonly drop: number;
};

/**
 * Makes the standing the best one of what is offered, from whatever it and its prices were: the nearer those, the less work.
 */
export function improve(offers: Offers, standing: Standing, budget: Budget): Improvement {
  const { price } = standing;
  const before = price.slice();
  const rows = rowSideOf(offers, standing);
  const columns = columnSideOf(rows, standing);
  releaseInexact(rows, columns);
  const finished = enterAll(rows, columns, budget) && enterAll(columns, rows, budget);
  return { outcome: finished ? "best-of-offers" : "deadline", drop: largestDrop(before, price) };
}

function largestDrop(before: Float64Array, price: Float64Array): number {
  let drop = 0;
  for (let column = 0; column < price.length; column++) {
    drop = Math.max(drop, (before[column] ?? 0) - (price[column] ?? 0));
  }
  return drop;
}

/** Members gain what they save by not staying alone; a column's dual is its price. */
function rowSideOf(offers: Offers, { price, columnOf }: Standing): Side {
  const { rows, alone } = offers;
  const start = new Int32Array(rows + 1);
  for (let row = 0; row < rows; row++) {
    start[row + 1] = (start[row] ?? 0) + (offers.end[row] ?? 0) - (offers.start[row] ?? 0);
  }
  const other = new Int32Array(start[rows] ?? 0);
  const gain = new Float64Array(other.length);
  const dual = new Float64Array(rows);
  for (let row = 0; row < rows; row++) {
    const offset = (start[row] ?? 0) - (offers.start[row] ?? 0);
    const saved = alone[row] ?? 0;
    let best = 0;
    const end = offers.end[row] ?? 0;
    for (let at = offers.start[row] ?? 0; at < end; at++) {
      const column = offers.column[at] ?? 0;
      const gained = saved - (offers.cost[at] ?? 0);
      other[at + offset] = column;
      gain[at + offset] = gained;
      best = Math.max(best, gained - (price[column] ?? 0));
    }
    dual[row] = best;
  }
  return { start, other, gain, dual, mate: columnOf };
}

function columnSideOf(rows: Side, { price, rowOf }: Standing): Side {
  const columns = price.length;
  const start = new Int32Array(columns + 1);
  for (const column of rows.other) start[column + 1] = (start[column + 1] ?? 0) + 1;
  for (let column = 0; column < columns; column++) {
    start[column + 1] = (start[column + 1] ?? 0) + (start[column] ?? 0);
  }
  const other = new Int32Array(rows.other.length);
  const gain = new Float64Array(rows.other.length);
  const next = start.slice();
  for (let row = 0; row < rows.mate.length; row++) {
    const end = rows.start[row + 1] ?? 0;
    for (let at = rows.start[row] ?? 0; at < end; at++) {
      const column = rows.other[at] ?? 0;
      const place = next[column] ?? 0;
      other[place] = row;
      gain[place] = rows.gain[at] ?? 0;
      next[column] = place + 1;
    }
  }
  return { start, other, gain, dual: price, mate: rowOf };
}

/** Parts the pairs that share more than their gain, then matches whoever is alone where it can be done at no loss. */
function releaseInexact(rows: Side, columns: Side): void {
  for (let row = 0; row < rows.mate.length; row++) {
    const column = rows.mate[row] ?? -1;
    if (column === -1 || sharesExactly(rows, columns, row, column)) continue;
    rows.mate[row] = -1;
    columns.mate[column] = -1;
  }
  for (let row = 0; row < rows.mate.length; row++) {
    if (rows.mate[row] !== -1) continue;
    const end = rows.start[row + 1] ?? 0;
    for (let at = rows.start[row] ?? 0; at < end; at++) {
      const column = rows.other[at] ?? 0;
      const slack = (rows.dual[row] ?? 0) + (columns.dual[column] ?? 0) - (rows.gain[at] ?? 0);
      if (slack > 0 || columns.mate[column] !== -1) continue;
      rows.mate[row] = column;
      columns.mate[column] = row;
      break;
    }
  }
}

function sharesExactly(rows: Side, columns: Side, row: number, column: number): boolean {
  const end = rows.start[row + 1] ?? 0;
  for (let at = rows.start[row] ?? 0; at < end; at++) {
    if (rows.other[at] !== column) continue;
    return (rows.dual[row] ?? 0) + (columns.dual[column] ?? 0) === rows.gain[at];
  }
  return false;
}

/** Returns whether it came to the end. */
function enterAll(from: Side, to: Side, budget: Budget): boolean {
  const search = new PathSearch(from, to);
  for (let member = 0; member < from.mate.length; member++) {
    if (from.mate[member] !== -1 || from.dual[member] === 0) continue;
    const looked = search.enter(member);
    if (budget.spend(ENTRY_UNITS + (looked >> 4))) return false;
  }
  return true;
}
