import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { createFence } from "../../../db/fence.ts";
import { readSnapshot } from "../../../db/snapshot.ts";
import { systemClock } from "../../../runtime/clock.ts";
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

test("a tick is two round trips: one for the snapshot, one for the commit", async () => {
  const database = db.open("worker", { connectionsMax: 1 });
  const fence = createFence({ database, clock: systemClock });
  expect(await fence.claim(claimOf(1), within())).toMatchObject({ kind: "claimed" });
  const watcher = await db.connect();
  /** Commands that clients sent; what a procedure runs inside is no round trip and does not count. */
  const questions = async (): Promise<number> => {
    const [rows] = await watcher.query("SHOW GLOBAL STATUS LIKE 'Questions'");
    return Number((rows as { readonly Value: string }[])[0]?.Value);
  };
  const before = await questions();
  for (let tick = 1n; tick <= TICKS; tick++) {
    await readSnapshot(database, "madrid", within());
    const outcome = await fence.commit(
      {
        city: "madrid",
        epoch: 1n,
        token: tokenOf(1),
        ...chained(tick),
        slotMs: Number(tick) * PERIOD_MS,
        periodMs: PERIOD_MS,
        degraded: false,
        decisions: [],
      },
      within(),
    );
    expect(outcome.kind).toBe("committed");
  }
  // The question itself is one.
  expect((await questions()) - before - 1).toBe(2 * TICKS);
}, 30_000);
