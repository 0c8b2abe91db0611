import { describe, expect, test } from "@jest/globals";
import { parseToken } from "../../../crds/token.ts";
import type { FenceProgress } from "../../../db/progress.ts";
import { Progress } from "../../../operator/progress/progress.ts";

const DATABASE_MS = 5_000_000;

function fence(fields: Partial<FenceProgress> = {}): FenceProgress {
  return {
    city: "madrid",
    epoch: 1n,
    token: parseToken("7"),
    holder: "w1",
    tick: 1n,
    slotMs: DATABASE_MS - 100,
    claimedAtMs: DATABASE_MS - 10_000,
    committedAtMs: DATABASE_MS - 100,
    dispatcherFailure: undefined,
    changedAtMs: DATABASE_MS - 100,
    ...fields,
  };
}

/** One answer of the database, asked for 20 ms before it came. */
function reading(
  nowMs: number,
  fences: readonly FenceProgress[],
  fields: {
    readonly databaseTimeMs?: number;
    readonly startedMs?: number;
    readonly isComplete?: boolean;
  } = {},
) {
  return { databaseTimeMs: DATABASE_MS, isComplete: false, startedMs: nowMs - 20, nowMs, fences, ...fields };
}

describe("progress", () => {
  test("takes what it finds at the first look for no sign of life", () => {
    const progress = new Progress();
    expect(progress.take(reading(1_000, [fence()]))).toEqual([]);
  });

  test("dates an advance by its age on the database's clock", () => {
    const progress = new Progress();
    progress.take(reading(1_000, [fence()]));
    const fences = [fence({ tick: 2n, committedAtMs: DATABASE_MS + 600 })];
    expect(progress.take(reading(2_000, fences, { databaseTimeMs: DATABASE_MS + 1_000 }))).toEqual([
      { city: "madrid", holder: "w1", committedMs: 1_600 },
    ]);
    expect(progress.get("madrid")?.advancedMs).toBe(1_600);
  });

  test("never dates an advance before the read that did not have it, nor after this one", () => {
    for (const [committedAtMs, expected] of [
      [DATABASE_MS - 900_000, 1_000],
      [DATABASE_MS + 900_000, 2_000],
    ] as const) {
      const progress = new Progress();
      progress.take(reading(1_000, [fence()]));
      const [advance] = progress.take(
        reading(2_000, [fence({ tick: 2n, committedAtMs })], { databaseTimeMs: DATABASE_MS + 1_000 }),
      );
      expect(advance?.committedMs).toBe(expected);
    }
  });

  test("does not take a claim for a tick", () => {
    const progress = new Progress();
    progress.take(reading(1_000, [fence()]));
    const fences = [fence({ token: parseToken("8"), holder: "w2" })];
    expect(progress.take(reading(2_000, fences))).toEqual([]);
    expect(progress.get("madrid")?.fence.holder).toBe("w2");
  });

  test("knows its own seal at once, and is not confused by an answer that is older", () => {
    const progress = new Progress();
    progress.take(reading(1_000, [fence()]));
    progress.sealed("madrid", { epoch: 1n, token: parseToken("9") }, 1_990);
    progress.take(reading(2_000, [fence({ tick: 2n })]));
    expect(progress.get("madrid")?.fence).toMatchObject({ token: 9n, holder: undefined });
    progress.take(reading(3_000, [fence({ tick: 2n, token: parseToken("10") })]));
    expect(progress.get("madrid")?.fence).toMatchObject({ token: 10n, holder: "w1" });
  });

  test("believes a database that was restored from backup", () => {
    const progress = new Progress();
    progress.take(reading(1_000, [fence({ tick: 9n, token: parseToken("9") }), fence({ city: "paris" })]));
    const restored = [fence({ tick: 3n, token: parseToken("4") })];
    expect(progress.take(reading(2_000, restored, { isComplete: true }))).toEqual([]);
    expect(progress.get("madrid")?.fence).toMatchObject({ tick: 3n, token: 4n });
    expect(progress.get("paris")).toBeUndefined();
    expect(progress.take(reading(3_000, [fence({ tick: 4n, token: parseToken("9") })]))).toHaveLength(1);
  });

  test("after trouble with the database begins afresh, also for a tick from before that is seen only now", () => {
    const progress = new Progress();
    progress.take(reading(1_000, [fence(), fence({ city: "paris" })]));
    progress.observeAfresh(20_000);
    const late = fence({ tick: 2n, committedAtMs: DATABASE_MS + 500 });
    progress.take(reading(20_000, [late], { databaseTimeMs: DATABASE_MS + 19_000 }));
    expect(progress.get("madrid")?.advancedMs).toBe(20_000);
    expect(progress.get("paris")?.advancedMs).toBe(20_000);
  });
});
