import { MinimumHeap } from "./heap.ts";

/**
 * One side of a matching in which both sides are alike: a pair has a gain, and each member a dual, its share of it, which is
 * never negative. Duals are feasible when `dual(a) + dual(b) >= gain(a, b)` for every pair; a matching is the best when besides
 * that all matched pairs share exactly their gain and the dual of everybody alone is 0.
 */
export type Side = {
  /** Pairs of member `a` are `other[at]` with `gain[at]`, for `at` from `start[a]` up to, not including, `start[a + 1]`. */
  readonly start: Int32Array;
  readonly other: Int32Array;
  readonly gain: Float64Array;
  readonly dual: Float64Array;
  /** The member of the other side that each is matched with, or -1. */
  readonly mate: Int32Array;
};

/**
 * Shortest augmenting paths from one side: a member that is alone at a dual above 0 enters along the shortest chain of
 * re-matches that ends with a member of the other side that was alone, or with one of this side that is left alone. Duals stay feasible and matched pairs stay exact (Jonker and Volgenant 1987).
 */
export class PathSearch {
  readonly #from: Side;
  readonly #to: Side;
  /** Length of the shortest chain found so far to each member of the other side; valid where `#seen` is this search. */
  readonly #distance: Float64Array;
  readonly #cameFrom: Int32Array;
  readonly #seen: Int32Array;
  readonly #settledIn: Int32Array;
  readonly #settled: Int32Array;
  readonly #heap = new MinimumHeap();
  #search = 0;
  #settledCount = 0;
  /** The shortest way to end found so far, where it ends: at `#endTo`, or, when that is -1, with `#endFrom` left alone. */
  #limit = Infinity;
  #endTo = -1;
  #endFrom = -1;
  #looked = 0;

  constructor(from: Side, to: Side) {
    const size = to.mate.length;
    this.#from = from;
    this.#to = to;
    this.#distance = new Float64Array(size);
    this.#cameFrom = new Int32Array(size);
    this.#seen = new Int32Array(size);
    this.#settledIn = new Int32Array(size);
    this.#settled = new Int32Array(size);
  }

  /** `member` is alone at a dual above 0. Returns how many pairs were looked at. */
  enter(member: number): number {
    this.#search++;
    this.#heap.clear();
    this.#settledCount = 0;
    this.#looked = 0;
    this.#limit = Infinity;
    this.#reach(member, 0);
    for (let next = this.#nearest(); next !== -1; next = this.#nearest()) {
      const distance = this.#distance[next] ?? 0;
      if (distance >= this.#limit) break;
      this.#settledIn[next] = this.#search;
      this.#settled[this.#settledCount++] = next;
      this.#reach(this.#to.mate[next] ?? 0, distance);
    }
    this.#shiftDuals(member);
    this.#rematch(member);
    return this.#looked;
  }

  /** Offers the member's pairs to the search, and its staying alone, `soFar` being the length of the chain up to it. */
  #reach(member: number, soFar: number): void {
    const { start, other, gain, dual } = this.#from;
    const { dual: otherDual, mate } = this.#to;
    const own = dual[member] ?? 0;
    const alone = soFar + own;
    if (alone < this.#limit) {
      this.#limit = alone;
      this.#endFrom = member;
      this.#endTo = -1;
    }
    const end = start[member + 1] ?? 0;
    for (let at = start[member] ?? 0; at < end; at++) {
      const next = other[at] ?? 0;
      const distance = soFar + (own + (otherDual[next] ?? 0) - (gain[at] ?? 0));
      const isFree = mate[next] === -1;
      // Among equals to be matched is better than to stay alone.
      if (distance > this.#limit || (distance === this.#limit && !(isFree && this.#endTo === -1))) continue;
      if (this.#seen[next] === this.#search && distance >= (this.#distance[next] ?? 0)) continue;
      this.#seen[next] = this.#search;
      this.#distance[next] = distance;
      this.#cameFrom[next] = member;
      if (isFree) {
        this.#limit = distance;
        this.#endTo = next;
      } else this.#heap.push(distance, next);
    }
    this.#looked += end - (start[member] ?? 0);
  }

  /** The nearest member of the other side not yet settled, or -1. */
  #nearest(): number {
    for (let first = this.#heap.pop(); first !== -1; first = this.#heap.pop()) {
      if (this.#settledIn[first] !== this.#search) return first;
    }
    return -1;
  }

  #shiftDuals(entered: number): void {
    const { dual } = this.#from;
    const { dual: otherDual, mate } = this.#to;
    dual[entered] = (dual[entered] ?? 0) - this.#limit;
    for (let index = 0; index < this.#settledCount; index++) {
      const settled = this.#settled[index] ?? 0;
      const shift = this.#limit - (this.#distance[settled] ?? 0);
      const holder = mate[settled] ?? 0;
      otherDual[settled] = (otherDual[settled] ?? 0) + shift;
      dual[holder] = (dual[holder] ?? 0) - shift;
    }
  }

  /** Walks the chain back from its end to the member that entered, handing every match on. */
  #rematch(entered: number): void {
    const { mate } = this.#from;
    let next = this.#endTo;
    if (next === -1) {
      next = mate[this.#endFrom] ?? -1;
      mate[this.#endFrom] = -1;
      if (this.#endFrom === entered) return;
    }
    for (;;) {
      const member = this.#cameFrom[next] ?? 0;
      const previous = mate[member] ?? -1;
      mate[member] = next;
      this.#to.mate[next] = member;
      if (member === entered) return;
      next = previous;
    }
  }
}
