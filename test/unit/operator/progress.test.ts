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
    committedAtMs: DATABASE_MS - 100,
    changedAtMs: DATABASE_MS - 100,
    ...fields,
  };
}

describe("progress", () => {
  test("takes what it finds at the first look for no sign of life", () => {
    const progress = new Progress();
    expect(progress.take({ databaseTimeMs: DATABASE_MS, fences: [fence()], nowMs: 1_000 })).toEqual([]);
  });

  test("dates an advance by its age on the database's clock", () => {
    const progress = new Progress();
    progress.take({ databaseTimeMs: DATABASE_MS, fences: [fence()], nowMs: 1_000 });
    const fences = [fence({ tick: 2n, committedAtMs: DATABASE_MS + 600 })];
    expect(progress.take({ databaseTimeMs: DATABASE_MS + 1_000, fences, nowMs: 2_000 })).toEqual([
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
      progress.take({ databaseTimeMs: DATABASE_MS, fences: [fence()], nowMs: 1_000 });
      const [advance] = progress.take({
        databaseTimeMs: DATABASE_MS + 1_000,
        fences: [fence({ tick: 2n, committedAtMs })],
        nowMs: 2_000,
      });
      expect(advance?.committedMs).toBe(expected);
    }
  });

  test("does not take a claim for a tick", () => {
    const progress = new Progress();
    progress.take({ databaseTimeMs: DATABASE_MS, fences: [fence()], nowMs: 1_000 });
    const fences = [fence({ token: parseToken("8"), holder: "w2" })];
    expect(progress.take({ databaseTimeMs: DATABASE_MS, fences, nowMs: 2_000 })).toEqual([]);
    expect(progress.get("madrid")?.fence.holder).toBe("w2");
  });

  test("knows its own seal at once, and is not confused by an answer that is older", () => {
    const progress = new Progress();
    progress.take({ databaseTimeMs: DATABASE_MS, fences: [fence()], nowMs: 1_000 });
    progress.sealed("madrid", parseToken("9"));
    progress.take({ databaseTimeMs: DATABASE_MS, fences: [fence({ tick: 2n })], nowMs: 2_000 });
    expect(progress.get("madrid")?.fence).toMatchObject({ token: 9n, holder: undefined });
  });
});
