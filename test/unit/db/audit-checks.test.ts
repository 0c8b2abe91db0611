import { describe, expect, test } from "@jest/globals";
import { CHECKS, missedSlots } from "../../../db/audit/checks.ts";
import type { CityHistory, ClaimRow, TickRow } from "../../../db/audit/history.ts";
import { tokenOf } from "../../support/mysql.ts";

const aClaim = (
  claim: number,
  token: number,
  tick: number,
  holder: string | undefined = `w${token}`,
): ClaimRow => ({
  claim: BigInt(claim),
  epoch: 1n,
  token: tokenOf(token),
  holder,
  tick: BigInt(tick),
});

const aTick = (tick: number, token: number, slot = tick, periodMs = 1_000): TickRow => ({
  tick: BigInt(tick),
  epoch: 1n,
  token: tokenOf(token),
  commitId: `commit-${tick}`,
  previousCommitId: tick === 1 ? undefined : `commit-${tick - 1}`,
  slotMs: slot * 1_000,
  periodMs,
  snapshotTick: BigInt(tick - 1),
  decisions: 0,
  dropped: 0,
  isDegraded: false,
});

function aHistory(claims: readonly ClaimRow[], ticks: readonly TickRow[]): CityHistory {
  const last = claims.at(-1) ?? aClaim(1, 1, 0);
  return {
    city: "madrid",
    authorityEpoch: 1n,
    fence: {
      epoch: last.epoch,
      token: last.token,
      holder: last.holder,
      tick: ticks.at(-1)?.tick ?? 0n,
      claims: last.claim,
    },
    claims,
    ticks,
    assignments: undefined,
  };
}

const violations = (history: CityHistory): string[] =>
  CHECKS.flatMap((check) => check.run(history).violations.map((text) => `${check.invariant}: ${text}`));

describe("the checks", () => {
  test("accept a history whose beginning was pruned", () => {
    expect(violations(aHistory([aClaim(3, 30, 7)], [aTick(8, 30), aTick(9, 30)]))).toEqual([]);
  });

  test("accept claims under which nothing was committed, the held token sealing its own fence, and a city without ticks", () => {
    const claims = [aClaim(1, 10, 0), aClaim(2, 11, 0), aClaim(3, 11, 0), aClaim(4, 12, 0)];
    const sealed = claims.map((claim) => (claim.claim === 3n ? { ...claim, holder: undefined } : claim));
    expect(violations(aHistory(sealed, []))).toEqual([]);
    expect(violations(aHistory(sealed, [aTick(1, 12)]))).toEqual([]);
  });

  test("name the tick, its token and the claim that it ignored", () => {
    const history = aHistory([aClaim(1, 10, 0), aClaim(2, 20, 1)], [aTick(1, 10), aTick(2, 10)]);
    expect(violations(history)).toEqual([
      "1: tick 2 carries token (1, 10), but claim 2 had put (1, 20) at the fence",
    ]);
  });

  test("follow the chain of commits, from the first tick that tells what it builds on", () => {
    const [first, second, third] = [aTick(1, 10), aTick(2, 10), aTick(3, 10)];
    const claims = [aClaim(1, 10, 0)];
    const ofOldVersion = { ...second, previousCommitId: undefined };
    expect(violations(aHistory(claims, [first, ofOldVersion, third]))).toEqual([]);
    expect(violations(aHistory(claims, [first, second, { ...third, previousCommitId: "lost" }]))).toEqual([
      "4: tick 3 builds on commit lost, but tick 2 is commit-2",
    ]);
    expect(violations(aHistory(claims, [first, second, { ...third, previousCommitId: undefined }]))).toEqual([
      "4: tick 3 builds on commit none, but tick 2 is commit-2",
    ]);
  });

  test("hold a tick under the token of a seal against the seal", () => {
    const seal = { ...aClaim(2, 20, 1), holder: undefined };
    expect(violations(aHistory([aClaim(1, 10, 0), seal], [aTick(1, 10), aTick(2, 20)]))).toEqual([
      "9: tick 2 was committed after claim 2 had sealed the city",
    ]);
  });
});

describe("missed slots", () => {
  const claims = [aClaim(1, 10, 0)];

  test("are those between two ticks", () => {
    expect(missedSlots(aHistory(claims, [aTick(1, 10, 1), aTick(2, 10, 2), aTick(3, 10, 6)]))).toBe(3);
  });

  test("are not counted while the city was sealed", () => {
    const seal = { ...aClaim(2, 20, 1), holder: undefined };
    const history = aHistory([...claims, seal, aClaim(3, 30, 1)], [aTick(1, 10, 1), aTick(2, 30, 500)]);
    expect(missedSlots(history)).toBe(0);
  });

  test("are counted by the longer period where it changed", () => {
    expect(missedSlots(aHistory(claims, [aTick(1, 10, 1, 1_000), aTick(2, 10, 11, 10_000)]))).toBe(0);
  });
});
