import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { randomUUID } from "node:crypto";
import { cp, rm } from "node:fs/promises";
import { join } from "node:path";
import { createFence, type CommitOutcome, type Fence } from "../../db/fence.ts";
import { systemClock } from "../../runtime/clock.ts";
import {
  CLUSTER,
  freshDatabase,
  MYSQL_START_LIMIT_MS,
  startTestMysql,
  tokenOf,
  within,
  type TestDatabase,
  type TestMysql,
} from "../support/mysql.ts";

/**
 * A fail-over to a server that lacks the last commits, on real data files. The holder and its token are the same before and
 * after, and so are the numbers of the ticks: only the commit id of the tick before tells one history from the other.
 */

const CITY = "madrid";
const HOLDER = "worker-1-abcdef";
const TOKEN = tokenOf(100);
let mysql: TestMysql;
let db: TestDatabase;

beforeAll(async () => {
  mysql = await startTestMysql();
  db = await freshDatabase(mysql);
}, MYSQL_START_LIMIT_MS);

afterAll(async () => {
  await db?.close();
  await mysql?.close();
});

/** Commits the next tick as a worker does that claimed first: on top of what the claim shows. */
async function tickOn(fence: Fence): Promise<{ readonly tick: bigint; readonly commitId: string }> {
  const claim = await fence.claim(
    { city: CITY, clusterUid: CLUSTER, epoch: 1n, token: TOKEN, holder: HOLDER },
    within(),
  );
  if (claim.kind !== "claimed") throw new Error(`the claim was ${claim.kind}`);
  const commitId = randomUUID();
  const tick = claim.tick + 1n;
  const outcome = await commit(fence, { tick, commitId, previousCommitId: claim.commitId });
  expect(outcome.kind).toBe("committed");
  return { tick, commitId };
}

async function commit(
  fence: Fence,
  packet: { readonly tick: bigint; readonly commitId: string; readonly previousCommitId: string | undefined },
): Promise<CommitOutcome> {
  return fence.commit(
    {
      ...packet,
      city: CITY,
      epoch: 1n,
      token: TOKEN,
      slotMs: Number(packet.tick) * 1_000,
      periodMs: 1_000,
      snapshotTick: packet.tick - 1n,
      degraded: false,
      decisions: [],
    },
    within(),
  );
}

test("a late packet from a history that was lost is refused, though its token and its tick number fit", async () => {
  const data = join(mysql.directory, "data");
  const replica = join(mysql.directory, "replica");
  const fence = createFence({ database: db.open("worker"), clock: systemClock });
  await tickOn(fence);
  await mysql.stop();
  await cp(data, replica, { recursive: true, preserveTimestamps: true });
  await mysql.restart();

  const lost = await tickOn(fence);
  const late = { tick: lost.tick + 1n, commitId: randomUUID(), previousCommitId: lost.commitId };

  await mysql.stop();
  await rm(data, { recursive: true });
  await cp(replica, data, { recursive: true, preserveTimestamps: true });
  await mysql.restart();

  const afterwards = createFence({ database: db.open("worker"), clock: systemClock });
  const again = await tickOn(afterwards);
  expect(again.tick).toBe(lost.tick);
  expect(await commit(afterwards, late)).toEqual({ kind: "outpaced" });
  expect(await db.sql("SELECT MAX(tick) AS tick FROM tick")).toEqual([{ tick: Number(again.tick) }]);
  const next = await tickOn(afterwards);
  expect(next.tick).toBe(again.tick + 1n);
}, 120_000);
