import { afterAll, afterEach, beforeAll } from "@jest/globals";
import { fenceContract } from "../../support/fence-contract.ts";
import {
  freshDatabase,
  MYSQL_START_LIMIT_MS,
  startTestMysql,
  type TestDatabase,
  type TestMysql,
} from "../../support/mysql.ts";

let server: TestMysql;
let db: TestDatabase | undefined;

beforeAll(async () => {
  server = await startTestMysql();
}, MYSQL_START_LIMIT_MS);
afterEach(async () => {
  await db?.close();
});
afterAll(async () => {
  await server.close();
});

fenceContract("the stored procedures", async () => {
  db = await freshDatabase(server, { authority: false });
  return { worker: db.open("worker"), operator: db.open("operator"), admin: db.open("admin") };
});
