import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
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
