import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { createFence } from "../../../db/fence.ts";
import { pruneExplanations } from "../../../db/explanations.ts";
import { readSnapshot } from "../../../db/snapshot.ts";
import { systemClock } from "../../../runtime/clock.ts";
import { silentLog } from "../../../runtime/log.ts";
import { createMetrics } from "../../../runtime/metrics.ts";
import { noSpan } from "../../../runtime/tracing/span.ts";
import { createDatabaseClock } from "../../../worker/database-clock.ts";
import { createDispatchPool, type DispatchPool } from "../../../worker/dispatch-pool/dispatch-pool.ts";
import { createWorkerMetrics } from "../../../worker/metrics.ts";
import { createKeeper, type KeepOutcome, type Keeper } from "../../../worker/story/keeper.ts";
import { runTick, type TickInput } from "../../../worker/tenure/tick.ts";
import { cityOf, taskOf } from "../../support/cities.ts";
import {
  claimOf,
  freshDatabase,
  MYSQL_START_LIMIT_MS,
  startTestMysql,
  within,
  type TestDatabase,
  type TestMysql,
} from "../../support/mysql.ts";
import { happensWithin } from "../../support/until.ts";

/** Real ticks on a real MySQL, and what the commands tell of them afterwards. */

const PERIOD_MS = 10_000;
const LIMIT_MS = 60_000;
const run = promisify(execFile);
const kept: KeepOutcome[] = [];
let server: TestMysql;
let db: TestDatabase;
let pool: DispatchPool;
let keeper: Keeper;
let directory: string;
let last: Pick<TickInput, "lastTick" | "lastCommitId"> = { lastTick: 0n, lastCommitId: undefined };

beforeAll(async () => {
  server = await startTestMysql();
  db = await freshDatabase(server);
  directory = await mkdtemp(join(tmpdir(), "city-operator-story-"));
  pool = createDispatchPool({ threads: 1, clock: systemClock, log: silentLog });
  const worker = db.open("worker");
  keeper = createKeeper({
    database: worker,
    clock: systemClock,
    log: silentLog,
    count: (one) => kept.push(one),
  });
  await createFence({ database: worker, clock: systemClock }).claim(claimOf(1), within());
  await db.sql(
    "INSERT INTO stores (city, id, name, latitude, longitude) VALUES ('madrid', 's', 'Store', 40.4, -3.7)",
    `INSERT INTO couriers (city, id, latitude, longitude, position_at, capacity, shift_starts_at, shift_ends_at) VALUES
      ('madrid', 'near', 40.401, -3.7, UTC_TIMESTAMP(3), 2, UTC_TIMESTAMP(3) - INTERVAL 1 HOUR, UTC_TIMESTAMP(3) + INTERVAL 5 HOUR),
      ('madrid', 'far', 40.41, -3.7, UTC_TIMESTAMP(3), 2, UTC_TIMESTAMP(3) - INTERVAL 1 HOUR, UTC_TIMESTAMP(3) + INTERVAL 5 HOUR)`,
    `INSERT INTO orders (city, id, store_id, latitude, longitude, placed_at, ready_at)
     VALUES ('madrid', 'o1', 's', 40.405, -3.705, UTC_TIMESTAMP(3), UTC_TIMESTAMP(3) + INTERVAL 40 MINUTE)`,
  );
}, MYSQL_START_LIMIT_MS);

afterAll(async () => {
  await keeper.close();
  await pool.close();
  await db.close();
  await server.close();
  await rm(directory, { recursive: true, force: true });
});

/** One real tick; `meanwhile` happens between its snapshot and its commit. */
async function tick(meanwhile?: string): Promise<void> {
  const worker = db.open("worker");
  const task = taskOf(cityOf("madrid", { period: "10s", recordPercent: 100 }));
  const outcome = await runTick(
    {
      clock: systemClock,
      databaseClock: createDatabaseClock(systemClock),
      fence: createFence({ database: worker, clock: systemClock }),
      readSnapshot: async (city, signal) => {
        const snapshot = await readSnapshot(worker, city, signal);
        if (meanwhile !== undefined) await db.sql(meanwhile);
        return snapshot;
      },
      dispatchPool: pool,
      isolationPool: pool,
      fallbacks: new Map(),
      waitingOrders: new Map(),
      metrics: createWorkerMetrics(createMetrics()),
      version: "1.2.3",
      keeper,
      newCommitId: randomUUID,
      onDatabase: () => undefined,
      log: silentLog,
    },
    {
      ...claimOf(1),
      ...last,
      slotMs: Number(last.lastTick + 1n) * PERIOD_MS,
      periodMs: PERIOD_MS,
      task,
      isIsolated: false,
      span: noSpan,
    },
    within(),
  );
  if (outcome.kind !== "committed") throw new Error(`the tick came to ${outcome.kind}`);
  last = { lastTick: outcome.tick, lastCommitId: outcome.commitId };
  await happensWithin(10_000, "the keeping", async () => kept.length >= Number(last.lastTick));
}

const command = async (file: string, args: readonly string[], env: Readonly<Record<string, string>>) =>
  run(process.execPath, ["--disable-warning=ExperimentalWarning", file, ...args], { env }).then(
    ({ stdout }) => ({ code: 0, stdout }),
    (error: { code: number; stdout: string }) => ({ code: error.code, stdout: error.stdout }),
  );

/** Without what differs from run to run: moments and amounts. */
function normalized(story: string): readonly string[] {
  return story
    .replaceAll(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d/g, "AT")
    .replaceAll(/\d\d:\d\d:\d\d/g, "AT")
    .replaceAll(/\d+\.\d/g, "#")
    .split("\n")
    .filter((line) => line !== "");
}

describe("an order's story", () => {
  test(
    "is told as it was lived, from placed to delivered",
    async () => {
      await tick();
      await tick();
      // Where both would wait at the store, they cost the same.
      await db.sql(
        "UPDATE orders SET ready_at = UTC_TIMESTAMP(3) + INTERVAL 15 MINUTE WHERE id = 'o1'",
        "UPDATE couriers SET capacity = 0 WHERE id = 'far'",
      );
      await tick();
      await db.sql(
        "UPDATE orders SET ready_at = UTC_TIMESTAMP(3) WHERE id = 'o1'",
        "UPDATE couriers SET capacity = 2 WHERE id = 'far'",
      );
      await tick("UPDATE couriers SET shift_ends_at = UTC_TIMESTAMP(3) WHERE id = 'near'");
      await db.sql(
        "UPDATE couriers SET shift_ends_at = UTC_TIMESTAMP(3) + INTERVAL 5 HOUR WHERE id = 'near'",
      );
      await tick();
      await db.sql("CALL decline_order('madrid', 'o1', 'near')");
      await tick();
      await db.sql(
        "CALL accept_order('madrid', 'o1', 'far', UTC_TIMESTAMP(3) + INTERVAL 20 MINUTE, 40.405, -3.705)",
        "CALL pick_up_order('madrid', 'o1', 'far', NULL)",
        "CALL deliver_order('madrid', 'o1', 'far', NULL)",
      );
      expect(new Set(kept)).toEqual(new Set(["kept"]));
      const { code, stdout } = await command("worker/story/main.ts", [], {
        ORDER: "o1",
        DATABASE_URL: db.urls.operator,
      });
      expect(code).toBe(0);
      expect(normalized(stdout)).toEqual([
        "order o1 of madrid, times in UTC",
        "AT  placed; the store expects to hand it over at AT",
        "AT  not looked at yet: ready too far ahead, looked at from AT (ticks 1 to 2, the last at AT)",
        "AT  held for near: setting off a tick later is early enough, looked at again at AT (tick 3)",
        "                     cost # s (travel #, waiting #)",
        "AT  assigned to near (tick 4)",
        "                     because it costs # s (late at pickup #, travel #)",
        "                     against far, who would cost # s (late at pickup #, travel #)",
        "AT  dropped by the database: not given to near after all, since courier-gone (tick 4)",
        "AT  assigned to near (tick 5)",
        "                     because it costs # s (late at pickup #, travel #)",
        "                     against far, who would cost # s (late at pickup #, travel #)",
        "AT  near declined it",
        "AT  assigned to far (tick 6)",
        "                     because it costs # s (late at pickup #, travel #)",
        "                     nobody else may take it",
        "AT  far accepted it",
        "AT  picked up",
        "AT  delivered",
        "now: delivered",
      ]);
    },
    LIMIT_MS,
  );

  test(
    "says who took it from whom, before it was picked up",
    async () => {
      await db.sql(
        "UPDATE couriers SET latitude = 40.44, position_at = UTC_TIMESTAMP(3) WHERE id = 'far'",
        "UPDATE couriers SET capacity = 0, position_at = UTC_TIMESTAMP(3) WHERE id = 'near'",
        `INSERT INTO orders (city, id, store_id, latitude, longitude, placed_at, ready_at)
         VALUES ('madrid', 'o2', 's', 40.405, -3.705, UTC_TIMESTAMP(3), UTC_TIMESTAMP(3))`,
      );
      await tick();
      await db.sql("UPDATE couriers SET capacity = 2 WHERE id = 'near'");
      await tick();
      const { stdout } = await command("worker/story/main.ts", [], {
        ORDER: "o2",
        DATABASE_URL: db.urls.operator,
      });
      expect(normalized(stdout)).toEqual([
        "order o2 of madrid, times in UTC",
        "AT  placed; the store expects to hand it over at AT",
        "AT  assigned to far (tick 7)",
        "                     because it costs # s (late at pickup #, travel #)",
        "                     nobody else may take it",
        "AT  taken from far and given to near (tick 8)",
        "                     because it costs # s (late at pickup #, travel #, reassignment #)",
        "                     against far, who would cost # s (late at pickup #, travel #)",
        "now: open, near has it",
      ]);
      // Without the explanations, that of the reference schema remains.
      await db.sql("DELETE FROM tick_explanation WHERE tick >= 7");
      const forgotten = await command("worker/story/main.ts", [], {
        ORDER: "o2",
        DATABASE_URL: db.urls.operator,
      });
      expect(normalized(forgotten.stdout)).toContain("AT  taken from far");
    },
    LIMIT_MS,
  );

  test(
    "needs to know its city only where no view tells, and names the open orders of a city",
    async () => {
      const named = await command("worker/story/main.ts", [], {
        CITY: "madrid",
        DATABASE_URL: db.urls.worker,
      });
      expect(named.stdout.split("\n").slice(2, -1)).toEqual(expect.arrayContaining(["o2"]));
      const unknown = await command("worker/story/main.ts", [], {
        ORDER: "nope",
        DATABASE_URL: db.urls.operator,
      });
      expect(unknown.code).toBe(1);
      const given = await command("worker/story/main.ts", [], {
        ORDER: "nope",
        CITY: "madrid",
        DATABASE_URL: db.urls.operator,
      });
      expect(given.stdout).toContain("nothing is known of it");
    },
    LIMIT_MS,
  );
});

describe("a recorded tick", () => {
  test(
    "of the product replays to the identical decisions, and shows what another parameter changes",
    async () => {
      const file = join(directory, "tick-5.zst");
      const env = { CITY: "madrid", TICK: "5", OUT: file, DATABASE_URL: db.urls.operator };
      expect((await command("worker/records/main.ts", ["record"], env)).code).toBe(0);
      const same = await command("worker/records/main.ts", ["replay"], { FILE: file });
      expect(same).toEqual({
        code: 0,
        stdout: "tick 5 of madrid, decided by optimal of version 1.2.3: the same 1 decisions by optimal\n",
      });
      const changes = join(directory, "changes.json");
      await writeFile(changes, '{"pickupTravelMaxMs": 1}');
      const other = await command("worker/records/main.ts", ["replay"], { FILE: file, PARAMETERS: changes });
      expect(other.code).toBe(1);
      expect(other.stdout).toMatch(
        /order o1\n {2}recorded: to near, stop 1, cost .*\n {2}replayed: nobody may take it/,
      );
    },
    LIMIT_MS,
  );
});

describe("an explanation", () => {
  test("is kept for a tick of the ledger alone, under its commit id", async () => {
    const row = "1, '00000000-0000-4000-8000-000000000000', 'optimal', 0, 'x', NULL";
    const [answer] = await db.sql(`CALL keep_explanation('madrid', ${row})`);
    expect(answer).toMatchObject([{ outcome: "no-tick" }]);
    await expect(
      db.open("worker").query("INSERT INTO tick_explanation VALUES ()", [], within()),
    ).rejects.toMatchObject({ code: "database-denied" });
  });

  test("is forgotten after its time, the oldest first and in small batches", async () => {
    await db.sql("UPDATE tick_explanation SET kept_at = kept_at - INTERVAL 1 DAY WHERE tick <= 3");
    const operator = db.open("operator");
    const limits = { keepMs: 3_600_000, rowsMax: 2 };
    expect(await pruneExplanations(operator, limits, within())).toBe(2);
    expect(await pruneExplanations(operator, limits, within())).toBe(1);
    expect(await pruneExplanations(operator, limits, within())).toBe(0);
    const rows = await db.sql("SELECT MIN(tick) AS first FROM tick_explanation");
    expect(Number(rows[0]?.["first"])).toBe(4);
  });
});
