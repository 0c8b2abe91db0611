import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import { migrate } from "../../../db/migrate.ts";
import { openDatabase, type Database } from "../../../db/pool.ts";
import { systemClock } from "../../../runtime/clock.ts";
import { recordingLog } from "../../support/recording-log.ts";
import {
  freshDatabase,
  MYSQL_START_LIMIT_MS,
  startTestMysql,
  within,
  type TestDatabase,
  type TestMysql,
} from "../../support/mysql.ts";
import { happensWithin } from "../../support/until.ts";

/** A database URL that changes while a process runs, as a mounted Secret does. */

let server: TestMysql;
let db: TestDatabase;
let url: string;
let database: Database;
let messages: () => string[];

beforeAll(async () => {
  server = await startTestMysql();
}, MYSQL_START_LIMIT_MS);
afterAll(async () => {
  await server?.close();
});
beforeEach(async () => {
  db = await freshDatabase(server);
  url = db.urls.worker;
  const { log, entries } = recordingLog();
  messages = () => entries.map(({ message }) => message);
  database = openDatabase({ url: () => url, connectionsMax: 2, log, clock: systemClock });
});
afterEach(async () => {
  await database.close();
  await db.close();
});

const whoAmI = async (): Promise<string> => {
  const [row] = await database.query("SELECT CURRENT_USER() AS me", [], within());
  return String(row?.["me"]).split("@")[0] ?? "";
};

describe("a changed URL", () => {
  test("is used within a second, while what runs on the old one ends in peace", async () => {
    expect(await whoAmI()).toBe(`${db.name}_worker`);
    const slow = database.readConsistently(async (query) => {
      await query("SELECT SLEEP(2)", [], within());
      const [row] = await query("SELECT CURRENT_USER() AS me", [], within());
      return String(row?.["me"]);
    }, within());
    url = db.urls.operator;
    await happensWithin(2_000, "the change", async () => (await whoAmI()) === `${db.name}_operator`);
    expect(await slow).toBe(`${db.name}_worker@%`);
    const sessions = async (): Promise<number> => {
      const rows = await db.sql(
        `SELECT COUNT(*) AS n FROM information_schema.processlist WHERE user = '${db.name}_worker'`,
      );
      return Number(rows[0]?.["n"]);
    };
    await happensWithin(2_000, "the end of the old sessions", async () => (await sessions()) === 0);
    expect(messages()).toContain("database url changed");
  });

  test("cures wrong credentials without a restart", async () => {
    const right = url;
    url = right.replace("worker-pass", "wrong");
    await expect(whoAmI()).rejects.toMatchObject({ code: "database-denied" });
    url = right;
    await happensWithin(2_000, "the cure", () =>
      whoAmI().then(
        (me) => me === `${db.name}_worker`,
        () => false,
      ),
    );
  });

  test("that cannot be used takes nothing away", async () => {
    expect(await whoAmI()).toBe(`${db.name}_worker`);
    url = "oops";
    await happensWithin(2_000, "the refusal", async () => {
      await whoAmI();
      return messages().includes("changed database url refused");
    });
    expect(await whoAmI()).toBe(`${db.name}_worker`);
  });
});

test("a migration sets the passwords that the processes' URLs have, so that they fit from then on", async () => {
  url = db.urls.worker.replace("worker-pass", "rotated");
  await expect(whoAmI()).rejects.toMatchObject({ code: "database-denied" });
  await migrate(
    { url: db.urls.admin, passwords: { worker: "rotated" }, progress: () => undefined },
    within(30_000),
  );
  expect(await whoAmI()).toBe(`${db.name}_worker`);
});
