import { compareEpochTokens, type FencingToken } from "../../crds/token.ts";
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
  readonly #cities = new Map<string, CityProgress>();
  #lastReadMs: number | undefined;

  get(city: string): CityProgress | undefined {
    return this.#cities.get(city);
  }

  /** Monotonic time of the last successful read. */
  get lastReadMs(): number | undefined {
    return this.#lastReadMs;
  }

  /**
   * Takes in one answer of the database and returns the cities whose tick advanced since the last one. The moment of a
   * commit is now minus its age on the database's clock, but never before the previous read: that one did not have it.
   */
  take(input: {
    readonly databaseTimeMs: number;
    readonly fences: readonly FenceProgress[];
    readonly nowMs: number;
  }): Advance[] {
    const { databaseTimeMs, nowMs } = input;
    const previousReadMs = this.#lastReadMs ?? nowMs;
    this.#lastReadMs = nowMs;
    const advances: Advance[] = [];
    for (const fence of input.fences) {
      const previous = this.#cities.get(fence.city);
      if (previous !== undefined && compareEpochTokens(fence, previous.fence) < 0) continue;
      const hasAdvanced = previous !== undefined && fence.tick > previous.fence.tick;
      const ageMs = fence.committedAtMs === undefined ? 0 : databaseTimeMs - fence.committedAtMs;
      const committedMs = Math.min(nowMs, Math.max(previousReadMs, nowMs - ageMs));
      if (hasAdvanced) advances.push({ city: fence.city, holder: fence.holder, committedMs });
      // What was there at the first look counts from its age, within reason: it is a beginning, not evidence of life.
      const advancedMs = hasAdvanced ? committedMs : (previous?.advancedMs ?? nowMs - Math.max(0, ageMs));
      this.#cities.set(fence.city, { fence, advancedMs });
    }
    return advances;
  }

  /** Our own seal went through: no need to wait for the next read to know it. */
  sealed(city: string, token: FencingToken): void {
    const previous = this.#cities.get(city);
    const unknown = {
      city,
      epoch: 0n,
      tick: 0n,
      slotMs: undefined,
      committedAtMs: undefined,
      changedAtMs: 0,
    };
    this.#cities.set(city, {
      fence: { ...(previous?.fence ?? unknown), token, holder: undefined },
      advancedMs: previous?.advancedMs ?? 0,
    });
  }

  forget(city: string): void {
    this.#cities.delete(city);
  }

  /** After trouble with the database: time in which nobody could commit does not count against anybody. */
  observeAfresh(nowMs: number): void {
    for (const [city, progress] of this.#cities) this.#cities.set(city, { ...progress, advancedMs: nowMs });
  }
}
