import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import { randomUUID } from "node:crypto";
import { createFence } from "../../../db/fence.ts";
import { migrate } from "../../../db/migrate.ts";
import { openDatabase } from "../../../db/pool.ts";
import { readSnapshot } from "../../../db/snapshot.ts";
import { systemClock } from "../../../runtime/clock.ts";
import { isOperational } from "../../../runtime/errors.ts";
import { silentLog } from "../../../runtime/log.ts";
import { fillCity } from "../../support/delivery-city.ts";
import {
  CLUSTER,
  freshDatabase,
  MYSQL_START_LIMIT_MS,
  startTestMysql,
  tokenOf,
  within,
  type TestDatabase,
  type TestMysql,
} from "../../support/mysql.ts";
import { takeBackToPreviousSchema } from "../../support/previous-schema.ts";

let server: TestMysql;
let db: TestDatabase;

beforeAll(async () => {
  server = await startTestMysql();
}, MYSQL_START_LIMIT_MS);
afterAll(async () => {
  await server.close();
});
beforeEach(async () => {
  db = await freshDatabase(server);
});
afterEach(async () => {
  await db.close();
});

const migrateAgain = async (options: { readonly reference?: boolean } = {}): Promise<string[]> => {
  const lines: string[] = [];
  await migrate({ url: db.urls.admin, progress: (line) => lines.push(line), ...options }, within(30_000));
  return lines;
};

/**
 * Again and again while a procedure or its grants are being replaced, which takes milliseconds, or when the server ends a lock
 * conflict with a table that is being changed: as the fence does.
 */
async function retried<Result>(work: () => Promise<Result>): Promise<Result> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      const mayHeal = ["database-schema", "database-denied", "database-deadlock"].some((code) =>
        isOperational(error, code),
      );
      if (!mayHeal || attempt === 100) throw error;
      await systemClock.sleep(10, within());
    }
  }
}

describe("a migration", () => {
  test("does nothing the second time", async () => {
    expect(await migrateAgain()).toEqual([]);
  });

  test("at the same time as others applies every file once", async () => {
    const url = `${server.url}/at_once`;
    const lines: string[] = [];
    const progress = (line: string): number => lines.push(line);
    await Promise.all(Array.from({ length: 4 }, () => migrate({ url, progress }, within(60_000))));
    const applied = lines.filter((line) => line.startsWith("applied"));
    expect(applied).toContain("applied protocol/commit-tick.sql");
    expect(new Set(applied).size).toBe(applied.length);
  }, 60_000);

  test("replaces a procedure whose text changed, and its callers keep their rights", async () => {
    await db.sql(
      "DROP PROCEDURE claim_city",
      "UPDATE schema_version SET digest = REPEAT('0', 64) WHERE name = 'protocol/claim-city.sql'",
    );
    const fence = createFence({ database: db.open("worker"), clock: systemClock });
    const request = { city: "madrid", clusterUid: CLUSTER, epoch: 1n, token: tokenOf(1), holder: "w" };
    await expect(fence.claim(request, within())).rejects.toMatchObject({
      code: expect.stringMatching(/^database-(schema|denied)$/),
      remedy: "give-up",
    });
    expect(await migrateAgain()).toEqual(["applied protocol/claim-city.sql"]);
    expect(await fence.claim(request, within())).toMatchObject({ kind: "claimed" });
  });

  test("refuses tables that were changed after they had been applied", async () => {
    await db.sql("UPDATE schema_version SET digest = REPEAT('0', 64) WHERE name = 'protocol/001-tables.sql'");
    await expect(migrateAgain()).rejects.toMatchObject({ code: "database-schema" });
  });

  test("killed after it had changed a table goes on where it was", async () => {
    await db.sql("DELETE FROM schema_version WHERE name = 'reference/002-vehicles-and-stops.sql'");
    expect(await migrateAgain()).toEqual(["applied reference/002-vehicles-and-stops.sql"]);
  });

  test("from the version before runs beside that version's workers and services, whose commits go on", async () => {
    await takeBackToPreviousSchema(db);
    await fillCity(db, "madrid", { couriers: { c1: { capacity: 10_000 } } });
    const worker = db.open("worker");
    const claiming = createFence({ database: worker, clock: systemClock });
    await claiming.claim(
      { city: "madrid", clusterUid: CLUSTER, epoch: 1n, token: tokenOf(1), holder: "w" },
      within(),
    );
    const migrated = new AbortController();
    let ticks = 0;
    /** As the version before: reads what it knows, and writes no stops. What meets a procedure that is just replaced tries again. */
    const dispatch = async (): Promise<void> => {
      let previous: string | null = null;
      while (!migrated.signal.aborted || ticks < 20) {
        const order = `o${ticks + 1}`;
        await insertOrder(order);
        const commitId = randomUUID();
        const decisions = JSON.stringify([{ order, courier: "c1" }]);
        const [, rows] = await retried(() => worker.call("CALL read_snapshot('madrid')", [], within()));
        expect(rows?.some((row) => row["order_id"] === order && row["courier_id"] === null)).toBe(true);
        const [[answer] = []] = await retried(() =>
          worker.call(
            "CALL commit_tick('madrid', 1, 1, ?, ?, ?, 1000, 1000, ?, FALSE, ?)",
            [ticks + 1, commitId, previous, ticks, decisions],
            within(),
          ),
        );
        expect(answer?.["dropped"]).toBeNull();
        previous = commitId;
        ticks += 1;
      }
    };
    const feed = db.open("feed");
    const insertOrder = (order: string) =>
      feed.query(
        `INSERT INTO orders (city, id, store_id, latitude, longitude, placed_at, ready_at)
         VALUES ('madrid', ?, 's1', 40.4, -3.7, UTC_TIMESTAMP(3), UTC_TIMESTAMP(3))`,
        [order],
        within(),
      );
    const dispatching = dispatch();
    const applied = await migrateAgain().finally(() => migrated.abort());
    await dispatching;
    expect(applied).toEqual([
      "applied reference/002-vehicles-and-stops.sql",
      "applied reference/apply-decisions.sql",
      "applied reference/available-couriers.sql",
      "applied reference/open-orders.sql",
      "applied protocol/read-snapshot.sql",
    ]);
    const { orders, couriers } = await readSnapshot(worker, "madrid", within());
    expect(orders).toHaveLength(ticks);
    expect(orders[0]).toMatchObject({ vehicles: [], courierId: "c1", reassignments: 0 });
    expect(couriers[0]).toMatchObject({ vehicle: "", activeLoad: ticks });
    expect(await db.sql("SELECT COUNT(*) AS bundles FROM assignment WHERE stop <> 1")).toEqual([
      { bundles: 0 },
    ]);
  }, 30_000);

  test("of the protocol alone leaves the company's tables to the company", async () => {
    const url = `${server.url}/own_schema`;
    await migrate({ url, reference: false, progress: () => undefined }, within(30_000));
    const tables = await db.sql(
      "SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'own_schema' ORDER BY 1",
    );
    expect(tables.map((row) => row["name"])).toEqual([
      "authority",
      "city_fence",
      "claim",
      "schema_version",
      "tick",
      "tick_explanation",
    ]);
  });

  test("needs no more than the database and its accounts, and its procedures can then still be killed", async () => {
    const url = new URL(`${server.url}/managed`);
    await db.sql(
      "CREATE DATABASE managed",
      "CREATE USER manager@'%' IDENTIFIED BY 'manager-pass'",
      "GRANT ALL ON managed.* TO manager@'%' WITH GRANT OPTION",
      "GRANT CREATE USER, CREATE ROLE ON *.* TO manager@'%'",
    );
    [url.username, url.password] = ["manager", "manager-pass"];
    const passwords = { worker: "worker-pass" };
    await migrate({ url: url.href, passwords, progress: () => undefined }, within(30_000));
    await db.sql("USE managed", "CALL establish_authority('x')");
    [url.username, url.password] = ["managed_worker", "worker-pass"];
    const database = openDatabase({ url: url.href, connectionsMax: 2, log: silentLog, clock: systemClock });
    const claim = (signal: AbortSignal) =>
      database.call("CALL claim_city('madrid', 'x', 1, 1, 'w')", [], signal);
    await claim(within());
    const blocker = await db.connect();
    await blocker.query("START TRANSACTION; SELECT * FROM managed.city_fence FOR UPDATE");
    await expect(claim(within(300))).rejects.toMatchObject({ code: "database-timeout" });
    const waiting = await db.sql("SELECT * FROM information_schema.innodb_trx WHERE trx_state = 'LOCK WAIT'");
    expect(waiting).toEqual([]);
    await database.close();
  });

  test("names what is wrong with a database's name", async () => {
    const migrating = migrate({ url: `${server.url}/No-Good`, progress: () => undefined }, within());
    await expect(migrating).rejects.toMatchObject({ code: "database-name" });
  });
});

describe("the accounts", () => {
  const tables = [
    "authority",
    "city_fence",
    "claim",
    "tick",
    "stores",
    "couriers",
    "orders",
    "assignment",
    "schema_version",
  ];

  test.each(["worker", "operator"] as const)("%s cannot write any table", async (role) => {
    const database = db.open(role);
    for (const table of tables) {
      const [column] = await db.sql(
        `SELECT column_name AS name FROM information_schema.columns
          WHERE table_schema = '${db.name}' AND table_name = '${table}' AND extra = '' LIMIT 1`,
      );
      const name = String(column?.["name"]);
      for (const statement of [
        `INSERT INTO ${table} (${name}) VALUES (1)`,
        `UPDATE ${table} SET ${name} = 1`,
        `DELETE FROM ${table}`,
      ]) {
        await expect(database.query(statement, [], within())).rejects.toMatchObject({
          code: "database-denied",
        });
      }
    }
  });

  test("feed writes the company's tables, and neither assignments nor anything of the protocol", async () => {
    const database = db.open("feed");
    await database.query("UPDATE orders SET latitude = 0", [], within());
    for (const table of ["authority", "city_fence", "claim", "tick", "assignment"]) {
      const deleting = database.query(`DELETE FROM ${table}`, [], within());
      await expect(deleting).rejects.toMatchObject({ code: "database-denied" });
    }
    const updating = database.query("UPDATE assignment SET state = 'delivered'", [], within());
    await expect(updating).rejects.toMatchObject({ code: "database-denied" });
  });

  test.each([
    ["worker", "CALL seal_city('madrid', 'x', 1)"],
    ["worker", "CALL take_authority('x')"],
    ["operator", "CALL claim_city('madrid', 'x', 1, 1, 'w')"],
    ["operator", "CALL commit_tick('madrid', 1, 1, 1, UUID(), NULL, 0, 0, 0, 0, '[]')"],
    ["feed", "CALL claim_city('madrid', 'x', 1, 1, 'w')"],
    ["worker", "CALL apply_decisions('madrid', 1, 1, 1, '[]', @dropped)"],
  ] as const)("%s may not %s", async (role, statement) => {
    await expect(db.open(role).call(statement, [], within())).rejects.toMatchObject({
      code: "database-denied",
    });
  });

  test("with a wrong password are denied, for good", async () => {
    await db.sql(`ALTER USER \`${db.name}_worker\`@'%' IDENTIFIED BY 'another'`);
    await expect(db.open("worker").query("SELECT 1", [], within())).rejects.toMatchObject({
      code: "database-denied",
      remedy: "give-up",
    });
  });
});
