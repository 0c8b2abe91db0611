import type { DispatcherFailure } from "../../db/dispatcher-failure.ts";

/**
 * Which dispatcher decides a City's next tick. The City's own choice does, until it fails: then the next one of its chain
 * steps in for some ticks, after which the City's own is tried again; longer each time it fails again. Pure.
 *
 *     chosen ──failure──▶ standing in ──its ticks are over──▶ retry ──success──▶ chosen
 *                              ▲                                │
 *                              └────────────failure─────────────┘
 *
 * A worker forgets it when the City is edited or moves: that is a new attempt.
 */
export type Fallback = {
  /** The City's generation and the dispatcher that it names: another pair begins anew. */
  readonly of: string;
  /** Place in the chain of who stands in: from 1. */
  readonly rank: number;
  /** Why the City's own dispatcher did not decide when it last could have. */
  readonly because: DispatcherFailure;
  /** Ticks until it is tried again. 0: the next tick is the retry. */
  readonly ticksLeft: number;
  /** How often in a row it failed. */
  readonly failures: number;
};

export const STAND_IN_TICKS = 10;
export const STAND_IN_TICKS_MAX = 640;
/** They come with the product. The first is the best, the second has the least that could go wrong. */
const STAND_INS = ["optimal", "greedy"] as const;

/** The dispatcher that a City names, and those that step in for it. */
export function chainOf(dispatcher: string): readonly string[] {
  return dispatcher === "greedy" ? [dispatcher] : [...new Set([dispatcher, ...STAND_INS])];
}

/** Whom to ask for the next tick, in this order. */
export function dispatchersFor(fallback: Fallback | undefined, chain: readonly string[]): readonly string[] {
  return fallback === undefined || fallback.ticksLeft === 0 ? chain : chain.slice(fallback.rank);
}

/** Whether the next tick tries again what did harm to its thread: not beside other cities. */
export function isDangerous(fallback: Fallback | undefined): boolean {
  const isHarm = fallback?.because === "overran" || fallback?.because === "crashed";
  return isHarm && fallback.ticksLeft === 0;
}

/** What a tick taught: who decided in the end, or `undefined` when a lost thread is all there is; and who failed, and why. */
export type Conduct = {
  readonly of: string;
  readonly chain: readonly string[];
  readonly by: string | undefined;
  /** Of the first dispatcher that was asked; undefined: it decided. */
  readonly failure: DispatcherFailure | undefined;
};

export function fallbackAfter(
  fallback: Fallback | undefined,
  { of, chain, by, failure }: Conduct,
): Fallback | undefined {
  const start = chain.length - dispatchersFor(fallback, chain).length;
  if (failure === undefined) {
    if (fallback === undefined || fallback.ticksLeft === 0) return undefined;
    return { ...fallback, ticksLeft: fallback.ticksLeft - 1 };
  }
  const last = chain.length - 1;
  const rank = by === undefined ? Math.min(start + 1, last) : chain.indexOf(by);
  // With nobody behind the City's own, there is nothing to change.
  if (rank === 0) return undefined;
  // A stand-in that fails makes the next one stand in; why the City's own does not decide stays the same.
  if (start > 0 && fallback !== undefined) return { ...fallback, rank };
  const failures = (fallback?.failures ?? 0) + 1;
  const ticksLeft = Math.min(STAND_IN_TICKS_MAX, STAND_IN_TICKS * 2 ** Math.min(failures - 1, 30));
  return { of, rank, because: failure, ticksLeft, failures };
}
