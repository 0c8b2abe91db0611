import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { zstdDecompress } from "node:zlib";
import { listRecords, readRecord } from "../../../db/story.ts";
import { createLoader } from "../../../worker/dispatchers/load.ts";
import { decodeRecord } from "../../../worker/records/record.ts";
import { differences, replay } from "../../../worker/records/replay.ts";
import { START_LIMIT_MS } from "../../support/kube.ts";
import { startProduct, type Product } from "../../support/product.ts";
import { happensWithin } from "../../support/until.ts";

/** Cities that name a dispatcher of the company's own: it decides, and when it fails the city goes on and says why. */

const MODULES = dirname(fileURLToPath(new URL("../../support/dispatchers/throwing.js", import.meta.url)));
const LIMIT_MS = 30_000;
let product: Product;

beforeAll(async () => {
  product = await startProduct({ cities: ["plain"], workers: 0, launch: launch });
}, START_LIMIT_MS);

afterAll(async () => {
  await product?.stop();
}, 60_000);

async function launch(stack: Product["stack"]): Promise<void> {
  stack.startOperator("operator-1");
  stack.startWorker("worker-1", { DISPATCHERS: MODULES });
}

async function dispatching(city: string): Promise<{ readonly reason: string; readonly message: string }> {
  const conditions = (await product.city(city))?.status?.conditions ?? [];
  const found = conditions.find(({ type }) => type === "Dispatching");
  return { reason: `${found?.status} ${found?.reason}`, message: found?.message ?? "" };
}

async function becomes(city: string, reason: string): Promise<string> {
  let last = { reason: "", message: "" };
  await happensWithin(
    LIMIT_MS,
    () => `${reason} of ${city}, which is ${last.reason}`,
    async () => {
      last = await dispatching(city);
      return last.reason === reason;
    },
  );
  return last.message;
}

describe("a city whose own dispatcher", () => {
  test.each([
    ["absent", "its worker does not know"],
    ["broken", "could not be loaded"],
    ["throwing", "threw an error"],
    ["hanging", "did not return in time"],
  ])(
    "is %s ticks on by another one, and its status says that it %s",
    async (dispatcher, what) => {
      await product.apply(dispatcher, { period: "1s", dispatcher });
      expect(await becomes(dispatcher, "True DispatcherFailed")).toContain(`"${dispatcher}", which ${what}`);
      const sinceMs = await product.databaseTimeMs();
      await product.awaitTicks([dispatcher], sinceMs, LIMIT_MS);
      const [row] = await product.query(
        "SELECT MIN(tick) AS first, MAX(degraded) AS degraded FROM tick WHERE city = ?",
        [dispatcher],
      );
      expect(Number(row?.["degraded"])).toBeGreaterThanOrEqual(2);
    },
    2 * LIMIT_MS,
  );

  test(
    "is replaced by a sound one in the specification is as it should be at once",
    async () => {
      await product.apply("throwing", { period: "1s", dispatcher: "greedy" });
      await becomes("throwing", "True Ticking");
    },
    2 * LIMIT_MS,
  );

  test("fails costs other cities nothing", async () => {
    expect(await product.missedSlots("plain", 0)).toBeLessThanOrEqual(1);
    await product.expectAuditClean();
  });
});

test(
  "the ticks of a city that records all of them replay to what was decided, own dispatcher or not",
  async () => {
    const city = "recorded";
    await product.query(
      "INSERT INTO stores (city, id, name, latitude, longitude) VALUES (?, 's1', 'Store', 40.4, -3.7)",
      [city],
    );
    await product.query(
      `INSERT INTO couriers (city, id, latitude, longitude, position_at, capacity, shift_starts_at, shift_ends_at)
       VALUES (?, 'c1', 40.401, -3.7, UTC_TIMESTAMP(3), 2, UTC_TIMESTAMP(3), UTC_TIMESTAMP(3) + INTERVAL 5 HOUR)`,
      [city],
    );
    await product.query(
      `INSERT INTO orders (city, id, store_id, latitude, longitude, placed_at, ready_at)
       VALUES (?, 'o1', 's1', 40.41, -3.71, UTC_TIMESTAMP(3), UTC_TIMESTAMP(3))`,
      [city],
    );
    await product.apply(city, { period: "1s", dispatcher: "throwing", recordPercent: 100 });
    const within = (): AbortSignal => AbortSignal.timeout(10_000);
    const recorded = async (): Promise<readonly bigint[]> => listRecords(product.database, city, within());
    await happensWithin(LIMIT_MS, "the records", async () => (await recorded()).length >= 3);
    const ticks = await recorded();
    const decided = [];
    for (const tick of ticks) {
      const bytes = await readRecord(product.database, { city, tick }, within());
      const record = decodeRecord((await promisify(zstdDecompress)(bytes!)).toString());
      expect(record).toMatchObject({ city, tick: String(tick), dispatcher: "optimal" });
      expect(differences(record, await replay(record, {}, createLoader(undefined)))).toEqual([]);
      decided.push(...record.result.decisions);
    }
    expect(decided).toMatchObject([{ order: "o1", courier: "c1" }]);
  },
  2 * LIMIT_MS,
);
