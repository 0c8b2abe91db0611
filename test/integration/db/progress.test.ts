import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { createFence } from "../../../db/fence.ts";
import { readProgress } from "../../../db/progress.ts";
import { systemClock } from "../../../runtime/clock.ts";
import {
  claimOf,
  freshDatabase,
  MYSQL_START_LIMIT_MS,
  startTestMysql,
  within,
  type TestDatabase,
  type TestMysql,
} from "../../support/mysql.ts";

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

test("progress tells only of the fences that moved since, and always of the time", async () => {
  const operator = db.open("operator");
  await createFence({ database: db.open("worker"), clock: systemClock }).claim(claimOf(10), within());
  const first = await readProgress(operator, undefined, within());
  expect(first.fences).toHaveLength(1);
  expect(first.fences[0]?.committedAtMs).toBeUndefined();
  const later = await readProgress(operator, first.databaseTimeMs + 60_000, within());
  expect(later.fences).toEqual([]);
  expect(later.databaseTimeMs).toBeGreaterThanOrEqual(first.databaseTimeMs);
});
