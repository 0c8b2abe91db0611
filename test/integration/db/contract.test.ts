import { afterAll, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import { createConnection, type Connection } from "mysql2/promise";
import { checkContract } from "../../../db/contract/check.ts";
import { migrate } from "../../../db/migrate.ts";
import { fillCity } from "../../support/delivery-city.ts";
import {
  freshDatabase,
  MYSQL_START_LIMIT_MS,
  startTestMysql,
  within,
  type TestMysql,
} from "../../support/mysql.ts";
import { createOwnSchema } from "../../support/own-schema.ts";

/** A company's own views and procedure, right and wrong in the ways in which one gets them wrong. */

let server: TestMysql;
let url: string;
let connection: Connection;
let databases = 0;

beforeAll(async () => {
  server = await startTestMysql();
}, MYSQL_START_LIMIT_MS);
afterAll(async () => {
  connection.destroy();
  await server.close();
});
beforeEach(async () => {
  connection?.destroy();
  databases += 1;
  url = `${server.url}/own${databases}`;
  await migrate({ url, reference: false, progress: () => undefined }, within(30_000));
  await createOwnSchema(url);
  connection = await createConnection({ uri: url, multipleStatements: true });
  await connection.query(`
    SET time_zone = '+00:00';
    INSERT INTO shops (town, lat, lon) VALUES ('porto', 41.1, -8.6);
    INSERT INTO riders (town, kind, slots, lat, lon, seen_at, works_from, works_to)
    SELECT 'porto', k.kind, 2, 41.1, -8.6, UNIX_TIMESTAMP(), UNIX_TIMESTAMP() - 60, UNIX_TIMESTAMP() + 3600
      FROM (SELECT 'bike' AS kind UNION ALL SELECT 'bike') k;
    INSERT INTO deliveries (town, shop_id, lat, lon, ordered_at, cooked_at)
    VALUES ('porto', 1, 41.1, -8.6, UNIX_TIMESTAMP(), UNIX_TIMESTAMP())`);
});

const mistakes = async (): Promise<readonly string[]> => (await checkContract({ url }, within())).mistakes;
const migrateAgain = async () =>
  await migrate({ url, reference: false, progress: () => undefined }, within(30_000));

/** Creates the object again with a part of its text replaced. */
async function alter(name: string, from: string, to: string): Promise<void> {
  const kind = name === "apply_decisions" ? "PROCEDURE" : "VIEW";
  const [rows] = await connection.query(`SHOW CREATE ${kind} ${name}`);
  const row = (rows as Record<string, string>[])[0]!;
  const text = row[kind === "VIEW" ? "Create View" : "Create Procedure"]!;
  expect(text).toContain(from);
  await connection.query(`DROP ${kind} ${name}`);
  await connection.query(text.replace(from, to));
}

describe("the contract", () => {
  test("is kept by the guide's example, which is as it was after the trial", async () => {
    expect(await checkContract({ url }, within())).toEqual({ mistakes: [], notTried: [], cities: ["porto"] });
    const [rows] = await connection.query(
      "SELECT (SELECT COUNT(*) FROM legs) AS legs, (SELECT COUNT(*) FROM deliveries WHERE stage = 0) AS waiting",
    );
    expect(rows).toEqual([{ legs: 0, waiting: 1 }]);
  });

  test("is kept by the reference schema", async () => {
    const db = await freshDatabase(server);
    await fillCity(db, "madrid", { orders: ["o1", "o2"], couriers: ["c1", "c2"] });
    expect(await checkContract({ url: db.urls.admin }, within())).toEqual({
      mistakes: [],
      notTried: [],
      cities: ["madrid"],
    });
    await db.close();
  });

  test("says what it could not try", async () => {
    await connection.query("UPDATE riders SET slots = 0");
    const { mistakes: none, notTried } = await checkContract({ url }, within());
    expect(none).toEqual([]);
    expect(notTried).toEqual(["porto has no order without a courier beside a courier with room"]);
  });

  test("names what does not exist", async () => {
    await connection.query("DROP VIEW available_couriers; DROP PROCEDURE apply_decisions");
    expect(await mistakes()).toEqual([
      "there is no available_couriers in this database: create it",
      "there is no apply_decisions in this database: create it",
    ]);
  });

  test.each([
    [
      "open_orders",
      "reassignments",
      "no_column_of_the_contract",
      "open_orders has no column reassignments: add one that is a number, or 0 AS reassignments",
    ],
    [
      "available_couriers",
      "`vehicle`",
      "`vehicle_kind`",
      "available_couriers has no column vehicle: add one that is text, or '' AS vehicle",
    ],
    [
      "open_orders",
      "from_unixtime(`d`.`ordered_at`)",
      "`d`.`ordered_at`",
      "open_orders.placed_at is int: make it DATETIME(3) in UTC",
    ],
    [
      "open_orders",
      "from_unixtime(`d`.`ordered_at`)",
      "(from_unixtime(`d`.`ordered_at`) + interval 2 hour)",
      "an order was placed in the future: give placed_at in UTC",
    ],
    ["open_orders", "`d`.`lat` AS", "(`d`.`lat` * 1000) AS", "a latitude is from -90 to 90"],
    ["available_couriers", "(`r`.`works_to` > unix_timestamp()) and", "(`r`.`works_to` > 0) and", ""],
  ])("objects to %s with %s as %s", async (view, from, to, sentence) => {
    if (sentence === "")
      await connection.query("UPDATE riders SET works_to = UNIX_TIMESTAMP() - 1 WHERE rider_id = 1");
    await alter(view, from, to);
    const expected = sentence === "" ? "shows a courier whose shift is over" : sentence;
    expect((await mistakes()).join("\n")).toContain(expected);
  });

  test.each([
    [
      "reports nothing",
      "SET p_dropped = JSON_ARRAY_APPEND",
      "SET @unused = JSON_ARRAY_APPEND",
      "does not report a decision for an order that does not exist",
    ],
    [
      "commits",
      "SET v_position = v_position + 1",
      "COMMIT; SET v_position = v_position + 1",
      "must neither commit",
    ],
    ["fails", "'order-gone'", "UUID_TO_BIN('x')", "apply_decisions failed"],
    [
      "gives away what another has",
      "OR v_holder <> COALESCE(v_from, 0)",
      "",
      "takes an order from another courier than `from` says",
    ],
    [
      "does nothing",
      "INSERT INTO legs (delivery_id, rider_id, door, tick, given_at)\n      VALUES",
      "INSERT INTO legs (delivery_id, rider_id, door, tick, given_at)\n      SELECT * FROM (SELECT 1 a, 2 b, 3 c, 4 d, 5 e) n WHERE FALSE AND (1, 1, 1, 1, 1) = ",
      "open_orders does not show courier",
    ],
  ])("objects to a procedure that %s", async (_, from, to, sentence) => {
    await alter("apply_decisions", from, to);
    expect((await mistakes()).join("\n")).toContain(sentence);
  });
});

describe("a migration over a company's own schema", () => {
  test("that lacks what this version reads changes nothing and says what to add", async () => {
    await alter("open_orders", "`vehicles`", "`vehicles_of_old`");
    await connection.query(
      "UPDATE schema_version SET digest = REPEAT('0', 64) WHERE name = 'protocol/read-snapshot.sql'",
    );
    await expect(migrateAgain()).rejects.toMatchObject({
      code: "database-contract",
      message: expect.stringContaining(
        "open_orders has no column vehicles: add one that is a JSON array of texts, or NULL AS vehicles where you have nothing of the kind",
      ),
    });
    const [rows] = await connection.query(
      "SELECT digest FROM schema_version WHERE name = 'protocol/read-snapshot.sql'",
    );
    expect(rows).toEqual([{ digest: "0".repeat(64) }]);
  });

  test("refuses a procedure with other parameters", async () => {
    await connection.query(
      "DROP PROCEDURE apply_decisions; CREATE PROCEDURE apply_decisions(IN p_city TEXT) SELECT 1",
    );
    await expect(migrateAgain()).rejects.toMatchObject({
      message: expect.stringContaining(
        "apply_decisions has other parameters: declare (IN p_city VARCHAR, IN p_epoch BIGINT",
      ),
    });
  });
});
