import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, beforeEach, afterEach, describe, expect, test } from "@jest/globals";
import {
  raiseEpoch,
  raisePresentEpoch,
  readAuthority,
  establishAuthority,
  takeAuthority,
} from "../../../db/authority.ts";
import { createFence, type CommitRequest, type Fence } from "../../../db/fence.ts";
import type { Database } from "../../../db/pool.ts";
import { readProgress } from "../../../db/progress.ts";
import { sealCity } from "../../../db/seal.ts";
import { readSnapshot } from "../../../db/snapshot.ts";
import { systemClock } from "../../../runtime/clock.ts";
import {
  chained,
  claimOf,
  CLUSTER,
  commitIdOf,
  freshDatabase,
  MYSQL_START_LIMIT_MS,
  startTestMysql,
  tokenOf,
  within,
  type TestDatabase,
  type TestMysql,
} from "../../support/mysql.ts";

let server: TestMysql;
let db: TestDatabase;
let worker: Database;
let operator: Database;
let fence: Fence;

beforeAll(async () => {
  server = await startTestMysql();
}, MYSQL_START_LIMIT_MS);
afterAll(async () => {
  await server.close();
});
beforeEach(async () => {
  db = await freshDatabase(server);
  worker = db.open("worker");
  operator = db.open("operator");
  fence = createFence({ database: worker, clock: systemClock });
});
afterEach(async () => {
  await db.close();
});

const claim = (token: number, holder = `w${token}`, city = "madrid", epoch = 1n) =>
  fence.claim(claimOf(token, { holder, city, epoch }), within());

const commit = (request: Partial<CommitRequest> & { readonly tick: bigint }) =>
  fence.commit(
    {
      city: "madrid",
      epoch: 1n,
      token: tokenOf(10),
      ...chained(request.tick),
      slotMs: 1_000 * Number(request.tick),
      periodMs: 1_000,
      degraded: false,
      decisions: [],
      ...request,
    },
    within(),
  );

const seal = (token: number, clusterUid = CLUSTER) =>
  sealCity(operator, { city: "madrid", clusterUid, token: tokenOf(token) }, within());

describe("a claim", () => {
  test("of a city that nobody ever had starts at tick 0 in the authority's epoch, on the database's clock", async () => {
    const outcome = await claim(10);
    expect(outcome).toEqual({
      kind: "claimed",
      epoch: 1n,
      tick: 0n,
      slotMs: undefined,
      periodMs: undefined,
      commitId: undefined,
      databaseTimeMs: expect.any(Number),
    });
    expect(Math.abs((outcome as { databaseTimeMs: number }).databaseTimeMs - Date.now())).toBeLessThan(5_000);
  });

  test("with a larger token takes over, and learns the last tick with its slot", async () => {
    await claim(10);
    await commit({ tick: 1n, slotMs: 1_700_000_000_123 });
    expect(await claim(11)).toMatchObject({
      kind: "claimed",
      tick: 1n,
      slotMs: 1_700_000_000_123,
      periodMs: 1_000,
      commitId: commitIdOf(1n),
    });
    expect(await readSnapshot(worker, "madrid", within())).toMatchObject({ commitId: commitIdOf(1n) });
  });

  test("with a smaller token is behind, whoever presents it", async () => {
    await claim(10);
    expect(await claim(9)).toEqual({ kind: "behind" });
  });

  test("is repeatable for the same holder, and behind for another one with the same token", async () => {
    await claim(10, "w1");
    expect(await claim(10, "w1")).toMatchObject({ kind: "claimed" });
    expect(await claim(10, "w2")).toEqual({ kind: "behind" });
    expect(await db.sql("SELECT claim FROM claim")).toHaveLength(1);
  });

  test("from another cluster is foreign and leaves nothing behind", async () => {
    const outcome = await fence.claim(
      {
        city: "madrid",
        clusterUid: "99999999-0000-4000-8000-000000000000",
        epoch: 1n,
        token: tokenOf(10),
        holder: "w1",
      },
      within(),
    );
    expect(outcome).toEqual({ kind: "foreign" });
    expect(await db.sql("SELECT * FROM city_fence")).toEqual([]);
  });

  test("keeps every digit of the largest token there is", async () => {
    const largest = tokenOf(2n ** 64n - 1n);
    const outcome = await fence.claim(
      { city: "madrid", clusterUid: CLUSTER, epoch: 1n, token: largest, holder: "w" },
      within(),
    );
    expect(outcome.kind).toBe("claimed");
    const { fences } = await readProgress(operator, undefined, within());
    expect(fences[0]?.token).toBe(largest);
  });

  test("of many first holders at once ends with the largest token at the fence", async () => {
    const many = createFence({ database: db.open("worker", { connectionsMax: 20 }), clock: systemClock });
    const tokens = Array.from({ length: 20 }, (_, index) => tokenOf(100 + index));
    const outcomes = await Promise.all(
      tokens.map((token) =>
        many.claim({ city: "rome", clusterUid: CLUSTER, epoch: 1n, token, holder: `w${token}` }, within()),
      ),
    );
    expect(outcomes.filter(({ kind }) => kind === "claimed").length).toBeGreaterThanOrEqual(1);
    expect((await readSnapshot(worker, "rome", within())).token).toBe(119n);
  });
});

describe("a commit", () => {
  test("of the next tick under the claimed token is in, and moves the fence", async () => {
    await claim(10);
    expect(await commit({ tick: 1n })).toEqual({ kind: "committed", dropped: [] });
    expect(await commit({ tick: 2n, slotMs: 2_000 })).toEqual({ kind: "committed", dropped: [] });
    const { fences } = await readProgress(operator, undefined, within());
    expect(fences).toEqual([
      expect.objectContaining({ city: "madrid", tick: 2n, slotMs: 2_000, holder: "w10" }),
    ]);
  });

  test("sent again under its id is committed once, also after the city was taken over", async () => {
    await claim(10);
    const commitId = randomUUID();
    await commit({ tick: 1n, commitId });
    expect((await commit({ tick: 1n, commitId })).kind).toBe("committed");
    await claim(11);
    expect((await commit({ tick: 1n, commitId })).kind).toBe("committed");
    expect(await db.sql("SELECT tick FROM tick")).toEqual([{ tick: 1 }]);
  });

  test("of a tick that is in under another id is outpaced", async () => {
    await claim(10);
    await commit({ tick: 1n });
    expect(await commit({ tick: 1n, commitId: randomUUID() })).toEqual({ kind: "outpaced" });
  });

  test("of a tick whose predecessors the database does not have is outpaced", async () => {
    await claim(10);
    expect(await commit({ tick: 3n })).toEqual({ kind: "outpaced" });
    expect(await db.sql("SELECT * FROM tick")).toEqual([]);
  });

  test("of a tick that was computed from lost history is outpaced, under the same token and with the right number", async () => {
    await claim(10);
    await commit({ tick: 1n });
    await commit({ tick: 2n });
    // A fail-over to a replica that had not received tick 2, and the same tenure going on from there.
    await db.sql(
      "DELETE FROM tick WHERE tick = 2",
      "UPDATE city_fence SET tick = 1, commit_id = (SELECT commit_id FROM tick WHERE tick = 1)",
    );
    expect(await commit({ tick: 2n, commitId: randomUUID() })).toMatchObject({ kind: "committed" });
    // Computed from the lost tick 2, delivered late.
    expect(await commit({ tick: 3n })).toEqual({ kind: "outpaced" });
    expect(await db.sql("SELECT tick FROM tick ORDER BY tick")).toEqual([{ tick: 1 }, { tick: 2 }]);
  });

  test("that builds on nothing is only for the first tick, and the first tick builds on nothing", async () => {
    await claim(10);
    expect(await commit({ tick: 1n, previousCommitId: commitIdOf(9n) })).toEqual({ kind: "outpaced" });
    await commit({ tick: 1n });
    expect(await commit({ tick: 2n, previousCommitId: undefined })).toEqual({ kind: "outpaced" });
    expect(await commit({ tick: 2n })).toMatchObject({ kind: "committed" });
  });

  test("under an earlier token is fenced and writes nothing", async () => {
    await claim(10);
    await claim(11);
    expect(await commit({ tick: 1n })).toEqual({ kind: "fenced" });
    expect(await db.sql("SELECT * FROM tick")).toEqual([]);
  });

  test("for a city that was never claimed is fenced", async () => {
    expect(await commit({ tick: 1n })).toEqual({ kind: "fenced" });
  });

  test("with a malformed id is refused as a mistake, not repeated", async () => {
    await claim(10);
    await expect(commit({ tick: 1n, commitId: "no uuid" })).rejects.toMatchObject({
      code: "database-statement",
    });
  });
});

describe("a seal", () => {
  test("ends all commits, also under the very token that it was made with", async () => {
    await claim(10);
    expect(await seal(11)).toMatchObject({ kind: "sealed" });
    expect(await commit({ tick: 1n })).toEqual({ kind: "fenced" });
    expect(await commit({ tick: 1n, token: tokenOf(11) })).toEqual({ kind: "fenced" });
    expect(await claim(11)).toEqual({ kind: "behind" });
    expect(await claim(12)).toMatchObject({ kind: "claimed" });
  });

  test("with the token that the holder has claimed seals as well, and may be repeated", async () => {
    await claim(10);
    expect(await seal(10)).toMatchObject({ kind: "sealed" });
    expect(await seal(10)).toMatchObject({ kind: "sealed" });
    expect(await commit({ tick: 1n })).toEqual({ kind: "fenced" });
    expect(await claim(10, "w10")).toEqual({ kind: "behind" });
  });

  test("is behind a larger token, and foreign to another cluster's database", async () => {
    await claim(10);
    expect(await seal(9)).toMatchObject({ kind: "behind" });
    expect(await seal(11, "99999999-0000-4000-8000-000000000000")).toMatchObject({ kind: "foreign" });
    expect(await commit({ tick: 1n })).toMatchObject({ kind: "committed" });
  });

  test("of a city that nobody ever had keeps earlier tokens out", async () => {
    expect(await seal(10)).toMatchObject({ kind: "sealed" });
    expect(await claim(9)).toEqual({ kind: "behind" });
  });
});

describe("the authority", () => {
  const other = "99999999-0000-4000-8000-000000000000";

  test("of an empty database goes to the first who asks", async () => {
    const empty = await freshDatabase(server, { authority: false });
    const database = empty.open("operator");
    expect(await readAuthority(database, within())).toBeUndefined();
    expect(await establishAuthority(database, CLUSTER, within())).toEqual({ epoch: 1n, clusterUid: CLUSTER });
    expect(await establishAuthority(database, other, within())).toEqual({ epoch: 1n, clusterUid: CLUSTER });
    await empty.close();
  });

  test("taken over puts the smallest token of the new cluster above all of the old one, whose holders commit on until then", async () => {
    await claim(10);
    expect(await takeAuthority(operator, other, within())).toEqual({ epoch: 2n, clusterUid: other });
    expect(await takeAuthority(operator, other, within())).toEqual({ epoch: 2n, clusterUid: other });
    expect(await commit({ tick: 1n })).toMatchObject({ kind: "committed" });
    expect(await claim(11)).toEqual({ kind: "foreign" });
    const request = { city: "madrid", clusterUid: other, epoch: 2n, token: tokenOf(1), holder: "new" };
    expect(await fence.claim(request, within())).toMatchObject({ kind: "claimed", epoch: 2n, tick: 1n });
    expect(await commit({ tick: 2n })).toEqual({ kind: "fenced" });
    expect(await commit({ tick: 2n, epoch: 2n, token: tokenOf(1) })).toMatchObject({ kind: "committed" });
  });

  test("is raised once by two who saw the same epoch, by a person's order, and not by a stranger", async () => {
    const raise = (clusterUid: string) => raiseEpoch(operator, { clusterUid, expectedEpoch: 1n }, within());
    expect(await Promise.all([raise(CLUSTER), raise(CLUSTER)])).toEqual([
      { epoch: 2n, clusterUid: CLUSTER },
      { epoch: 2n, clusterUid: CLUSTER },
    ]);
    expect(await raise(other)).toEqual({ epoch: 2n, clusterUid: CLUSTER });
    expect(await raisePresentEpoch(operator, within())).toEqual({ epoch: 3n, clusterUid: CLUSTER });
  });

  test("raised lets smaller tokens through again", async () => {
    await claim(10);
    await raiseEpoch(operator, { clusterUid: CLUSTER, expectedEpoch: 1n }, within());
    expect(await claim(11)).toEqual({ kind: "behind" });
    expect(await claim(3, "w3", "madrid", 2n)).toMatchObject({ kind: "claimed", epoch: 2n });
  });
});
