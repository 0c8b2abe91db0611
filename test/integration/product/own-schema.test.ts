import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { checkContract, formatContractReport, type ContractReport } from "../../../db/contract/check.ts";
import { openDatabase, type Database } from "../../../db/pool.ts";
import { systemClock } from "../../../runtime/clock.ts";
import { silentLog } from "../../../runtime/log.ts";
import { START_LIMIT_MS } from "../../support/kube.ts";
import { createOwnSchema } from "../../support/own-schema.ts";
import { startProduct, type Product } from "../../support/product.ts";
import { happensWithin } from "../../support/until.ts";

/** The whole product over tables that are nothing like ours: the example of `docs/adapt-your-schema.md`. */

const TOWNS = ["bilbao", "porto"];
const DISPATCHED_LIMIT_MS = 15_000;
let product: Product;
let report: ContractReport;
const progress: string[] = [];

beforeAll(async () => {
  product = await startProduct({
    cities: TOWNS,
    settings: { reference: false, progress: (line) => progress.push(line) },
    async launch(stack) {
      await createOwnSchema(stack.urls.admin);
      const database = openDatabase({
        url: stack.urls.admin,
        connectionsMax: 1,
        log: silentLog,
        clock: systemClock,
      });
      for (const town of TOWNS) await openTown(database, town);
      report = await checkContract({ url: stack.urls.admin }, AbortSignal.timeout(10_000));
      await database.close();
      stack.startOperator("operator-1");
      stack.startWorker("worker-1");
      stack.startWorker("worker-2");
    },
  });
}, START_LIMIT_MS);

/** A shop, six riders and a delivery. */
async function openTown(database: Database, town: string): Promise<void> {
  const query = (sql: string, values: readonly string[]) =>
    database.query(sql, values, AbortSignal.timeout(10_000));
  await query("INSERT INTO shops (town, lat, lon) VALUES (?, 43.26, -2.93)", [town]);
  for (const kind of ["bike", "bike", "bike", "car", "car", "car"]) {
    await query(
      `INSERT INTO riders (town, kind, slots, lat, lon, seen_at, works_from, works_to)
       VALUES (?, ?, 3, 43.261, -2.931, UNIX_TIMESTAMP(), UNIX_TIMESTAMP() - 3600, UNIX_TIMESTAMP() + 7200)`,
      [town, kind],
    );
  }
  await query(ORDER, ["0", town]);
}

/** Cooked already, so that it is given away at once. */
const ORDER = `
INSERT INTO deliveries (town, shop_id, lat, lon, is_bulky, ordered_at, cooked_at)
SELECT town, shop_id, 43.262, -2.932, ?, UNIX_TIMESTAMP() - 600, UNIX_TIMESTAMP() - 60 FROM shops WHERE town = ?`;

afterAll(async () => {
  await product?.stop();
}, 60_000);

async function order(town: string, count: number, isBulky = false): Promise<void> {
  for (let index = 0; index < count; index++) await product.query(ORDER, [isBulky ? 1 : 0, town]);
}

async function allGiven(): Promise<void> {
  await happensWithin(DISPATCHED_LIMIT_MS, "a leg for every delivery", async () => {
    const [row] = await product.query("SELECT COUNT(*) AS waiting FROM deliveries WHERE stage = 0");
    return Number(row?.["waiting"]) === 0;
  });
}

/** The riders bring everything, as the company's own services would write it. */
async function bringEverything(): Promise<void> {
  await product.query(
    "UPDATE deliveries d JOIN legs l ON l.open_delivery = d.delivery_id SET l.confirmed_at = UNIX_TIMESTAMP(), l.how = 1, d.stage = 3",
  );
}

describe("a company with tables of its own", () => {
  test("is told by the migration what is left to it, and gets no table of ours but the protocol's", async () => {
    expect(progress).toContain(
      "still to be created by you: open_orders, available_couriers, apply_decisions; see docs/adapt-your-schema.md",
    );
    const tables = await product.query(
      "SELECT table_name AS name FROM information_schema.tables WHERE table_schema = DATABASE() AND table_type = 'BASE TABLE' ORDER BY 1",
    );
    expect(tables.map((row) => row["name"])).toEqual([
      "authority",
      "city_fence",
      "claim",
      "deliveries",
      "legs",
      "riders",
      "schema_version",
      "shops",
      "tick",
      "tick_explanation",
    ]);
  });

  test("finds out with one command that its views and its procedure keep the contract", () => {
    expect(formatContractReport(report)).toBe("looked at bilbao, porto\nthe data contract is kept");
  });

  test("has its deliveries given to riders, each to one who may and can carry it", async () => {
    for (const town of TOWNS) {
      await order(town, 1, true);
      await order(town, 3);
    }
    await allGiven();
    const rows = await product.query(
      `SELECT d.town, d.is_bulky, r.town AS rider_town, r.kind, l.door
         FROM legs l JOIN deliveries d USING (delivery_id) JOIN riders r USING (rider_id) WHERE l.how = 0`,
    );
    expect(rows).toHaveLength(10);
    for (const row of rows) {
      expect(row["rider_town"]).toBe(row["town"]);
      if (Number(row["is_bulky"]) === 1) expect(row["kind"]).toBe("car");
      expect(Number(row["door"])).toBeGreaterThanOrEqual(1);
    }
    await expectSound();
  });

  test("loses no delivery and gets none twice when the worker that holds its towns dies", async () => {
    await bringEverything();
    const [pod = "", towns = []] = [...(await product.holdings())][0] ?? [];
    const sinceMs = await product.databaseTimeMs();
    product.stack.processes.get(pod)?.signal("SIGKILL");
    for (const town of TOWNS) await order(town, 4);
    await allGiven();
    await product.awaitTicks(towns, sinceMs, DISPATCHED_LIMIT_MS);
    await expectSound();
    await product.expectAuditClean();
  }, 60_000);

  async function expectSound(): Promise<void> {
    const [twice] = await product.query(
      "SELECT COUNT(*) AS twice FROM (SELECT delivery_id FROM legs WHERE how IN (0, 1) GROUP BY delivery_id HAVING COUNT(*) > 1) t",
    );
    expect(Number(twice?.["twice"])).toBe(0);
    const overfull = await product.query(
      "SELECT r.rider_id FROM legs l JOIN riders r USING (rider_id) WHERE l.how = 0 GROUP BY r.rider_id, r.slots HAVING COUNT(*) > r.slots",
    );
    expect(overfull).toEqual([]);
  }
});
