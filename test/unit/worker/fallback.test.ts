import { describe, expect, test } from "@jest/globals";
import {
  chainOf,
  dispatchersFor,
  fallbackAfter,
  isDangerous,
  STAND_IN_TICKS,
  STAND_IN_TICKS_MAX,
  type Conduct,
  type Fallback,
} from "../../../worker/tenure/fallback.ts";

const OWN = chainOf("acme");

type Tick = Pick<Conduct, "by" | "failure">;

/** A tick whose first dispatcher failed, so that `by` decided; undefined: its thread was lost. */
function failed(by: string | undefined, failure: Conduct["failure"] = "threw"): Tick {
  return { by, failure };
}

function good(by: string, count = 1): Tick[] {
  return Array.from({ length: count }, () => ({ by, failure: undefined }));
}

function after(chain: readonly string[], ...ticks: readonly Tick[]): Fallback | undefined {
  return ticks.reduce<Fallback | undefined>(
    (fallback, tick) => fallbackAfter(fallback, { of: "1", chain, ...tick }),
    undefined,
  );
}

describe("the dispatcher of a city", () => {
  test("is stood in for by the optimal one, and that by the greedy one", () => {
    expect(OWN).toEqual(["acme", "optimal", "greedy"]);
    expect(chainOf("optimal")).toEqual(["optimal", "greedy"]);
    expect(chainOf("greedy")).toEqual(["greedy"]);
  });

  test("decides as long as it does not fail", () => {
    expect(dispatchersFor(after(OWN, ...good("acme", 5)), OWN)).toEqual(OWN);
  });

  test("rests for some ticks after a failure, and is then tried again", () => {
    const rested = (ticks: number) => after(OWN, failed("optimal"), ...good("optimal", ticks));
    expect(dispatchersFor(rested(0), OWN)).toEqual(["optimal", "greedy"]);
    expect(dispatchersFor(rested(STAND_IN_TICKS - 1), OWN)).toEqual(["optimal", "greedy"]);
    expect(dispatchersFor(rested(STAND_IN_TICKS), OWN)).toEqual(OWN);
    expect(rested(STAND_IN_TICKS)?.because).toBe("threw");
    expect(
      after(OWN, failed("optimal"), ...good("optimal", STAND_IN_TICKS), ...good("acme")),
    ).toBeUndefined();
  });

  test("rests twice as long after each retry that fails, up to a limit", () => {
    const rests: number[] = [];
    let fallback: Fallback | undefined;
    for (let attempt = 0; attempt < 10; attempt++) {
      fallback = fallbackAfter(fallback, { of: "1", chain: OWN, ...failed("optimal") });
      rests.push(fallback?.ticksLeft ?? 0);
      fallback = fallback === undefined ? undefined : { ...fallback, ticksLeft: 0 };
    }
    expect(rests.slice(0, 3)).toEqual([STAND_IN_TICKS, 2 * STAND_IN_TICKS, 4 * STAND_IN_TICKS]);
    expect(rests.at(-1)).toBe(STAND_IN_TICKS_MAX);
  });

  test("that takes its thread with it is not asked in the next tick, nor is a stand-in that does", () => {
    const once = after(OWN, failed(undefined, "overran"));
    expect(dispatchersFor(once, OWN)).toEqual(["optimal", "greedy"]);
    const twice = after(OWN, failed(undefined, "overran"), failed(undefined, "crashed"));
    expect(dispatchersFor(twice, OWN)).toEqual(["greedy"]);
    expect(twice?.because).toBe("overran");
    const lost = after(OWN, failed(undefined), failed(undefined), failed(undefined));
    expect(dispatchersFor(lost, OWN)).toEqual(["greedy"]);
  });

  test("is tried again apart from other cities if it did harm to its thread", () => {
    const harmful = after(OWN, failed(undefined, "overran"));
    expect(isDangerous(harmful)).toBe(false);
    expect(isDangerous(after(OWN, failed(undefined, "overran"), ...good("optimal", STAND_IN_TICKS)))).toBe(
      true,
    );
    expect(isDangerous(after(OWN, failed("optimal"), ...good("optimal", STAND_IN_TICKS)))).toBe(false);
  });

  test("has nobody behind it when it is the last", () => {
    const chain = chainOf("greedy");
    expect(after(chain, failed(undefined, "crashed"))).toBeUndefined();
  });
});
