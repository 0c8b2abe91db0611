import { randomUUID } from "node:crypto";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import { raiseEpoch } from "../../../db/authority.ts";
import { createFence, type CommitRequest, type Fence } from "../../../db/fence.ts";
import { systemClock } from "../../../runtime/clock.ts";
import {
  chained,
  CLUSTER,
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
let fence: Fence;

beforeAll(async () => {
  server = await startTestMysql();
}, MYSQL_START_LIMIT_MS);
afterAll(async () => {
  await server.close();
});
beforeEach(async () => {
  db = await freshDatabase(server);
  fence = createFence({ database: db.open("worker"), clock: systemClock });
});
afterEach(async () => {
  await db.close();
});

const claim = (holder: string, epoch = 1n) =>
  fence.claim({ city: "madrid", clusterUid: CLUSTER, epoch, token: tokenOf(10), holder }, within());

const commit = (request: Partial<CommitRequest> & { readonly tick: bigint }) =>
  fence.commit(
    {
      city: "madrid",
      epoch: 1n,
      token: tokenOf(10),
      ...chained(request.tick),
      slotMs: 1_000,
      periodMs: 1_000,
      degraded: false,
      decisions: [],
      ...request,
    },
    within(),
  );

describe("a commit", () => {
  test("under a token that was handed out again after etcd went back is fenced: its epoch is another", async () => {
    await claim("before");
    await raiseEpoch(db.open("operator"), { clusterUid: CLUSTER, expectedEpoch: 1n }, within());
    expect(await claim("after", 2n)).toMatchObject({ kind: "claimed", epoch: 2n });
    expect(await commit({ tick: 1n })).toEqual({ kind: "fenced" });
    expect(await commit({ tick: 1n, epoch: 2n })).toMatchObject({ kind: "committed" });
  });

  test("that builds on the last tick and bears another number than the next is outpaced", async () => {
    await claim("w1");
    await commit({ tick: 1n });
    const { previousCommitId } = chained(2n);
    for (const tick of [1n, 3n]) {
      expect(await commit({ tick, commitId: randomUUID(), previousCommitId })).toEqual({ kind: "outpaced" });
    }
    expect(await commit({ tick: 2n })).toMatchObject({ kind: "committed" });
  });
});

test("a stranger does not raise the epoch, also one who knows it", async () => {
  const request = { clusterUid: "22222222-2222-4222-8222-222222222222", expectedEpoch: 1n };
  expect(await raiseEpoch(db.open("operator"), request, within())).toEqual({
    epoch: 1n,
    clusterUid: CLUSTER,
  });
});
