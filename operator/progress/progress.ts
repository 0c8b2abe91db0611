import { isDeepStrictEqual } from "node:util";
import type { FencingToken } from "../../crds/token.ts";
import type { FenceProgress } from "../../db/progress.ts";

/** What MySQL says of each city: its fence, and when this process last saw a tick advance. */

export type CityProgress = {
  readonly fence: FenceProgress;
  /** Monotonic time at which the last tick is known to have been committed. */
  readonly advancedMs: number;
};

export type Advance = {
  readonly city: string;
  readonly holder: string | undefined;
  readonly committedMs: number;
};

export class Progress {
  #cities = new Map<string, CityProgress>();
  /** Seals of ours, with the time at which each was known: a reading that began before does not show it. */
  readonly #sealedMs = new Map<string, number>();
  #lastReadMs: number | undefined;
  #databaseAheadMs: number | undefined;
  /** Nobody's silence before this counts. */
  #afreshMs = -Infinity;

  get(city: string): CityProgress | undefined {
    return this.#cities.get(city);
  }

  /** Monotonic time of the last successful read. */
  get lastReadMs(): number | undefined {
    return this.#lastReadMs;
  }

  /** How far the database's clock is ahead of our monotonic one, as of the last answer. */
  get databaseAheadMs(): number | undefined {
    return this.#databaseAheadMs;
  }

  /**
   * Takes in one answer of the database and returns the cities whose tick advanced since the last one. The moment of a
   * commit is now minus its age on the database's clock, but never before the previous read: that one did not have it.
   *
   * The database is believed also where it went back: after a restore from backup its fences are lower, and cities that
   * a `complete` reading does not show are unknown to it.
   */
  take(input: {
    readonly databaseTimeMs: number;
    readonly fences: readonly FenceProgress[];
    readonly isComplete: boolean;
    readonly startedMs: number;
    readonly nowMs: number;
  }): Advance[] {
    const { databaseTimeMs, nowMs, startedMs } = input;
    const previousReadMs = this.#lastReadMs ?? nowMs;
    this.#lastReadMs = nowMs;
    this.#databaseAheadMs = databaseTimeMs - nowMs;
    const advances: Advance[] = [];
    const before = this.#cities;
    if (input.isComplete) this.#cities = new Map();
    for (const fence of input.fences) {
      const previous = before.get(fence.city);
      if (previous !== undefined && (this.#sealedMs.get(fence.city) ?? -Infinity) >= startedMs) {
        this.#cities.set(fence.city, previous);
        continue;
      }
      const hasAdvanced = previous !== undefined && fence.tick > previous.fence.tick;
      const ageMs = fence.committedAtMs === undefined ? 0 : databaseTimeMs - fence.committedAtMs;
      const committedMs = Math.min(nowMs, Math.max(previousReadMs, nowMs - ageMs));
      if (hasAdvanced) advances.push({ city: fence.city, holder: fence.holder, committedMs });
      // What was there at the first look counts from its age, within reason: it is a beginning, not evidence of life.
      const advancedMs = hasAdvanced ? committedMs : (previous?.advancedMs ?? nowMs - Math.max(0, ageMs));
      const next = { fence, advancedMs: Math.max(advancedMs, this.#afreshMs) };
      // Readings overlap: who was told nothing new is shown nothing new.
      const isSame = previous !== undefined && isDeepStrictEqual(previous, next);
      this.#cities.set(fence.city, isSame ? previous : next);
    }
    return advances;
  }

  /** Our own seal went through: no need to wait for the next read to know it. */
  sealed(city: string, by: { readonly epoch: bigint; readonly token: FencingToken }, nowMs: number): void {
    const previous = this.#cities.get(city);
    const unknown = {
      city,
      tick: 0n,
      slotMs: undefined,
      committedAtMs: undefined,
      claimedAtMs: 0,
      changedAtMs: 0,
      dispatcherFailure: undefined,
    };
    this.#sealedMs.set(city, nowMs);
    this.#cities.set(city, {
      fence: { ...(previous?.fence ?? unknown), ...by, holder: undefined },
      advancedMs: previous?.advancedMs ?? 0,
    });
  }

  forget(city: string): void {
    this.#cities.delete(city);
    this.#sealedMs.delete(city);
  }

  /** After trouble with the database: time in which nobody could commit does not count against anybody. */
  observeAfresh(nowMs: number): void {
    this.#afreshMs = nowMs;
    for (const [city, { fence }] of this.#cities) this.#cities.set(city, { fence, advancedMs: nowMs });
  }
}
