import { randomUUID } from "node:crypto";
import { beforeEach, describe, expect, test } from "@jest/globals";
import type { FencingToken } from "../../crds/token.ts";
import { establishAuthority, raiseEpoch, readAuthority, takeAuthority } from "../../db/authority.ts";
import { createFence, type ClaimOutcome, type CommitRequest } from "../../db/fence.ts";
import type { Database } from "../../db/pool.ts";
import { readProgress } from "../../db/progress.ts";
import { pruneTicks } from "../../db/prune.ts";
import { sealCity } from "../../db/seal.ts";
import { readSnapshot } from "../../db/snapshot.ts";
import { systemClock } from "../../runtime/clock.ts";
import { chained, commitIdOf, decisionOf } from "./mysql.ts";

/** What the protocol may count on: holds for the stored procedures on a real MySQL and for the fake one. */

const LIMIT_MS = 20_000;
const OURS = "11111111-2222-4333-8444-555555555555";
const THEIRS = "99999999-2222-4333-8444-555555555555";

export type ProtocolDatabases = {
  /** With the rights of each account; on an empty database without any authority. */
  readonly worker: Database;
  readonly operator: Database;
  readonly admin: Database;
};

/** `databases` gives fresh ones for each test. */
export function fenceContract(name: string, databases: () => Promise<ProtocolDatabases>): void {
  let worker: Database;
  let operator: Database;
  let admin: Database;
  let signal: AbortSignal;

  const claim = (
    token: number,
    holder = `w${token}`,
    { clusterUid = OURS, epoch = 1n }: { readonly clusterUid?: string; readonly epoch?: bigint } = {},
  ): Promise<ClaimOutcome> =>
    createFence({ database: worker, clock: systemClock }).claim(
      { city: "madrid", clusterUid, epoch, token: BigInt(token) as FencingToken, holder },
      signal,
    );
  const commit = (request: Partial<CommitRequest> & { readonly tick: bigint }) =>
    createFence({ database: worker, clock: systemClock }).commit(
      {
        city: "madrid",
        epoch: 1n,
        token: 10n as FencingToken,
        ...chained(request.tick),
        slotMs: 1_000 * Number(request.tick),
        periodMs: 1_000,
        degraded: false,
        decisions: [],
        ...request,
      },
      signal,
    );
  const seal = (token: number, clusterUid = OURS) =>
    sealCity(operator, { city: "madrid", clusterUid, token: BigInt(token) as FencingToken }, signal);
  const fenceRow = async () => (await readProgress(operator, undefined, signal)).fences[0];

  describe(name, () => {
    beforeEach(async () => {
      ({ worker, operator, admin } = await databases());
      signal = AbortSignal.timeout(LIMIT_MS);
      await establishAuthority(operator, OURS, signal);
    });

    test("belongs to the first cluster, until another is ordered to take it", async () => {
      expect(await establishAuthority(operator, THEIRS, signal)).toEqual({ epoch: 1n, clusterUid: OURS });
      expect(await takeAuthority(admin, OURS, signal)).toEqual({ epoch: 1n, clusterUid: OURS });
      expect(await takeAuthority(admin, THEIRS, signal)).toEqual({ epoch: 2n, clusterUid: THEIRS });
      expect(await readAuthority(operator, signal)).toEqual({ epoch: 2n, clusterUid: THEIRS });
    });

    test("raises the epoch for the expected one only, and for its own cluster only", async () => {
      const raise = (clusterUid: string, expectedEpoch: bigint) =>
        raiseEpoch(operator, { clusterUid, expectedEpoch }, signal);
      expect(await raise(OURS, 1n)).toEqual({ epoch: 2n, clusterUid: OURS });
      expect(await raise(OURS, 1n)).toEqual({ epoch: 2n, clusterUid: OURS });
      expect(await raise(THEIRS, 2n)).toEqual({ epoch: 2n, clusterUid: OURS });
      // A token of the lost history, however large, claims nothing.
      expect(await claim(99)).toEqual({ kind: "behind" });
      expect(await claim(3, "w3", { epoch: 2n })).toMatchObject({ kind: "claimed", epoch: 2n });
      expect(await claim(99)).toEqual({ kind: "behind" });
      expect(await claim(99, "w99", { epoch: 3n })).toEqual({ kind: "behind" });
    });

    test("lets a larger token claim, a smaller one never, the same one only its own holder", async () => {
      const first = { kind: "claimed", epoch: 1n, tick: 0n, slotMs: undefined, periodMs: undefined };
      expect(await claim(10)).toMatchObject(first);
      expect(await claim(10)).toMatchObject(first);
      expect(await claim(10, "another")).toEqual({ kind: "behind" });
      expect(await claim(9)).toEqual({ kind: "behind" });
      expect(await claim(11)).toMatchObject(first);
      expect(await claim(10)).toEqual({ kind: "behind" });
      expect(await claim(99, "w99", { clusterUid: THEIRS })).toEqual({ kind: "foreign" });
    });

    test("puts every token of a later epoch above all of an earlier one", async () => {
      await claim(10);
      await takeAuthority(admin, THEIRS, signal);
      expect(await commit({ tick: 1n })).toMatchObject({ kind: "committed" });
      expect(await claim(11)).toEqual({ kind: "foreign" });
      expect(await claim(3, "w3", { clusterUid: THEIRS, epoch: 2n })).toMatchObject({
        kind: "claimed",
        epoch: 2n,
        tick: 1n,
      });
      expect(await commit({ tick: 2n })).toEqual({ kind: "fenced" });
      expect(await commit({ tick: 2n, epoch: 2n, token: 3n as FencingToken })).toMatchObject({
        kind: "committed",
      });
    });

    test("commits one tick after the other under the claimed token, each once", async () => {
      expect(await commit({ tick: 1n })).toEqual({ kind: "fenced" });
      await claim(10);
      const commitId = randomUUID();
      expect(await commit({ tick: 1n, commitId })).toEqual({ kind: "committed", dropped: [] });
      expect(await commit({ tick: 1n, commitId })).toEqual({ kind: "committed", dropped: [] });
      expect(await commit({ tick: 1n })).toEqual({ kind: "outpaced" });
      expect(await commit({ tick: 3n })).toEqual({ kind: "outpaced" });
      expect(await claim(12)).toMatchObject({ kind: "claimed", tick: 1n, slotMs: 1_000, periodMs: 1_000 });
      expect(await commit({ tick: 2n })).toEqual({ kind: "fenced" });
      // What was answered `committed` stays so, whatever the fence says now.
      expect(await commit({ tick: 1n, commitId })).toEqual({ kind: "committed", dropped: [] });
    });

    test("commits only what builds on its own last tick, by number and by commit id", async () => {
      await claim(10);
      expect(await commit({ tick: 1n, previousCommitId: randomUUID() })).toEqual({ kind: "outpaced" });
      await commit({ tick: 1n });
      expect(await commit({ tick: 2n, previousCommitId: undefined })).toEqual({ kind: "outpaced" });
      expect(await commit({ tick: 2n, previousCommitId: randomUUID() })).toEqual({ kind: "outpaced" });
      const { commitId } = await readSnapshot(worker, "madrid", signal);
      expect(commitId).toBe(commitIdOf(1n));
      expect(await claim(11)).toMatchObject({ kind: "claimed", tick: 1n, commitId });
      const token = 11n as FencingToken;
      expect(await commit({ tick: 2n, token, previousCommitId: commitId })).toMatchObject({
        kind: "committed",
      });
    });

    test("drops and reports the decisions that are not possible, and commits the tick", async () => {
      await claim(10);
      const decisions = [decisionOf("never-placed nobody")];
      const dropped = [{ order: "never-placed", courier: "nobody", because: "order-gone" }];
      const commitId = randomUUID();
      expect(await commit({ tick: 1n, commitId, decisions })).toEqual({ kind: "committed", dropped });
      expect(await commit({ tick: 1n, commitId, decisions })).toEqual({ kind: "committed", dropped });
    });

    test("is sealed with the holder's token or a larger one, until a larger one claims", async () => {
      await claim(10);
      expect(await seal(9)).toEqual({ kind: "behind" });
      expect(await seal(12, THEIRS)).toEqual({ kind: "foreign" });
      expect(await seal(10)).toEqual({ kind: "sealed", epoch: 1n });
      expect(await commit({ tick: 1n })).toEqual({ kind: "fenced" });
      expect(await claim(10)).toEqual({ kind: "behind" });
      expect(await seal(12)).toEqual({ kind: "sealed", epoch: 1n });
      expect(await seal(12)).toEqual({ kind: "sealed", epoch: 1n });
      expect(await fenceRow()).toMatchObject({ token: 12n, holder: undefined, tick: 0n });
      expect(await claim(12)).toEqual({ kind: "behind" });
      expect(await claim(13)).toMatchObject({ kind: "claimed" });
    });

    test("shows the fence in a snapshot and in the progress, with the times of the database", async () => {
      expect(await readSnapshot(worker, "madrid", signal)).toMatchObject({ epoch: 0n, token: 0n, tick: 0n });
      await claim(10);
      await commit({ tick: 1n, slotMs: 1_700_000_000_123 });
      const snapshot = await readSnapshot(worker, "madrid", signal);
      expect(snapshot).toMatchObject({ epoch: 1n, token: 10n, holder: "w10", tick: 1n });
      expect(Math.abs(snapshot.databaseTimeMs - Date.now())).toBeLessThan(60_000);
      const { databaseTimeMs, authority, fences } = await readProgress(operator, undefined, signal);
      expect(authority).toEqual(await readAuthority(operator, signal));
      expect(fences).toEqual([
        {
          city: "madrid",
          epoch: 1n,
          token: 10n,
          holder: "w10",
          tick: 1n,
          slotMs: 1_700_000_000_123,
          claimedAtMs: expect.any(Number),
          committedAtMs: expect.any(Number),
          changedAtMs: expect.any(Number),
        },
      ]);
      const later = await readProgress(operator, databaseTimeMs + 60_000, signal);
      expect(later.fences).toEqual([]);
      expect(later.databaseTimeMs).toBeGreaterThanOrEqual(databaseTimeMs);
    });

    test("forgets old ticks, but never the last one", async () => {
      await claim(10);
      for (const tick of [1n, 2n, 3n]) await commit({ tick });
      const batch = { afterCity: undefined, keepMs: 60_000, citiesMax: 10, ticksMax: 10 };
      expect(await pruneTicks(operator, batch, signal)).toEqual({ pruned: 0, lastCity: undefined });
      // One at a time and until nothing is left to forget.
      const all = { ...batch, keepMs: 0, ticksMax: 1 };
      await new Promise((resolve) => setTimeout(resolve, 5));
      expect(await pruneTicks(operator, all, signal)).toEqual({ pruned: 1, lastCity: undefined });
      expect(await pruneTicks(operator, { ...all, citiesMax: 1 }, signal)).toEqual({
        pruned: 1,
        lastCity: "madrid",
      });
      expect(await pruneTicks(operator, all, signal)).toEqual({ pruned: 0, lastCity: undefined });
      expect(await commit({ tick: 4n })).toMatchObject({ kind: "committed" });
    });
  });
}
