import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { createFence } from "../../../db/fence.ts";
import { readSnapshot } from "../../../db/snapshot.ts";
import type { Database } from "../../../db/pool.ts";
import { systemClock } from "../../../runtime/clock.ts";
import { bytesAllocatedBy } from "../../support/allocations.ts";
import {
  chained,
  claimOf,
  freshDatabase,
  MYSQL_START_LIMIT_MS,
  startTestMysql,
  tokenOf,
  within,
  type TestDatabase,
  type TestMysql,
} from "../../support/mysql.ts";

/** What may not grow without somebody deciding so, as MySQL itself counts it: the same on every machine. */

let server: TestMysql;
let db: TestDatabase;

beforeAll(async () => {
  server = await startTestMysql();
  db = await freshDatabase(server);
}, MYSQL_START_LIMIT_MS);
afterAll(async () => {
  await db.close();
  await server.close();
});

const TICKS = 10;
const PERIOD_MS = 1_000;

/** Claims the city; each call of what it returns is one tick of it, without a decision. */
async function ticking(city: string, database: Database): Promise<() => Promise<void>> {
  const fence = createFence({ database, clock: systemClock });
  expect(await fence.claim({ ...claimOf(1), city }, within())).toMatchObject({ kind: "claimed" });
  let tick = 0n;
  return async () => {
    tick += 1n;
    await readSnapshot(database, city, within());
    const slotMs = Number(tick) * PERIOD_MS;
    const request = { city, epoch: 1n, token: tokenOf(1), ...chained(tick), slotMs, periodMs: PERIOD_MS };
    const outcome = await fence.commit({ ...request, degraded: false, decisions: [] }, within());
    if (outcome.kind !== "committed") throw new Error(`the tick is ${outcome.kind}`);
  };
}

test("a tick is two round trips: one for the snapshot, one for the commit", async () => {
  const tick = await ticking("madrid", db.open("worker", { connectionsMax: 1 }));
  const watcher = await db.connect();
  /** Commands that clients sent; what a procedure runs inside is no round trip and does not count. */
  const questions = async (): Promise<number> => {
    const [rows] = await watcher.query("SHOW GLOBAL STATUS LIKE 'Questions'");
    return Number((rows as { readonly Value: string }[])[0]?.Value);
  };
  const before = await questions();
  for (let count = 0; count < TICKS; count++) await tick();
  // The question itself is one.
  expect((await questions()) - before - 1).toBe(2 * TICKS);
}, 30_000);

test("a tick's snapshot and commit allocate no more than 250 kB", async () => {
  const tick = await ticking("paris", db.open("worker", { connectionsMax: 1 }));
  const bytes = await bytesAllocatedBy(tick, 200);
  expect(bytes).toBeLessThanOrEqual(250e3);
}, 30_000);
