import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { execFile } from "node:child_process";
import { cp, rm } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { setTimeout as sleep } from "node:timers/promises";
import { START_LIMIT_MS } from "../support/kube.ts";
import { startProduct, type Product } from "../support/product.ts";
import { happensWithin } from "../support/until.ts";

/**
 * MySQL is put back to an earlier time under a product that runs on, as docs/runbooks/mysql-restored.md has it: fences,
 * ticks and the epoch of the authority go back, and nobody has to be told.
 */

const CITIES = ["edited", "suspended", "untouched", "vienna"];
const LOST_MS = 4_000;
const RECOVERY_LIMIT_MS = 20_000;
/** The operator reads every fence anew once a minute. */
const COMPLETE_READ_LIMIT_MS = 75_000;
const OTHER_CLUSTER = "99999999-9999-4999-8999-999999999999";
let product: Product;
let lostTicks: ReadonlyMap<string, number>;
let restoredMs: number;
let holdersBefore: readonly string[];

beforeAll(async () => {
  product = await startProduct({ cities: CITIES, workers: 2, operators: 2 });
  const { mysql } = product;
  const data = join(mysql.directory, "data");
  const backup = join(mysql.directory, "backup");
  await mysql.stop();
  await cp(data, backup, { recursive: true, preserveTimestamps: true });
  await mysql.restart();
  await product.awaitTicks(CITIES, await product.databaseTimeMs(), RECOVERY_LIMIT_MS);

  // What the backup does not know: two epochs, an edit, a suspension, a City, and ticks.
  await merge("edited", { period: "500ms" });
  await merge("suspended", { suspend: true });
  await product.apply("later", { period: "500ms" });
  await happensWithin(
    RECOVERY_LIMIT_MS,
    "the seal",
    async () => (await fence("suspended"))?.["holder"] === null,
  );
  await takeAuthority(OTHER_CLUSTER);
  await takeAuthority(await clusterUid());
  await merge("vienna", { period: "2s" });
  await happensWithin(
    RECOVERY_LIMIT_MS,
    "a claim in the third epoch",
    async () => Number((await fence("vienna"))?.["epoch"]) === 3,
  );
  await sleep(LOST_MS);
  lostTicks = await lastTicks();
  holdersBefore = await holders();

  await mysql.stop();
  await rm(data, { recursive: true });
  await cp(backup, data, { recursive: true, preserveTimestamps: true });
  await mysql.restart();
  restoredMs = await product.databaseTimeMs();
}, START_LIMIT_MS);

afterAll(async () => {
  await product?.stop();
}, 60_000);

async function merge(city: string, spec: unknown): Promise<void> {
  const patch = JSON.stringify({ spec });
  const { code, stderr } = await product.stack.api.kubectl([
    "patch",
    "city",
    city,
    "--type=merge",
    "-p",
    patch,
  ]);
  if (code !== 0) throw new Error(stderr);
}

async function clusterUid(): Promise<string> {
  const { stdout } = await product.stack.api.kubectl([
    "get",
    "namespace",
    "kube-system",
    "-o",
    "jsonpath={.metadata.uid}",
  ]);
  return stdout;
}

async function takeAuthority(uid: string): Promise<void> {
  const env = { ...process.env, DATABASE_URL: product.stack.urls.operator };
  const args = ["--disable-warning=ExperimentalWarning", "db/main.ts", "take-authority", uid];
  await promisify(execFile)(process.execPath, args, { env });
}

async function fence(city: string) {
  const [row] = await product.query("SELECT epoch, holder, tick FROM city_fence WHERE city = ?", [city]);
  return row;
}

async function lastTicks(): Promise<ReadonlyMap<string, number>> {
  const rows = await product.query("SELECT city, tick FROM city_fence");
  return new Map(rows.map((row) => [String(row["city"]), Number(row["tick"])]));
}

/** "city worker", without the token. */
async function holders(): Promise<readonly string[]> {
  return (await product.assignments()).map((line) => line.split(" ").slice(0, 2).join(" "));
}

test("every City commits again, from the tick that the backup ends with", async () => {
  const ticking = ["edited", "untouched", "vienna", "later"];
  await product.awaitTicks(ticking, restoredMs + 1, RECOVERY_LIMIT_MS);
  const ticks = await lastTicks();
  expect(ticks.get("untouched")).toBeLessThan((lostTicks.get("untouched") ?? 0) + 1);
  const [first] = await product.query("SELECT MIN(tick) AS tick FROM tick WHERE city = 'later'");
  expect(Number(first?.["tick"])).toBe(1);
}, 60_000);

test("nobody is moved for it, and every City becomes Ready again", async () => {
  await happensWithin(RECOVERY_LIMIT_MS, "every City Ready", async () => {
    const cities = await Promise.all(
      ["edited", "untouched", "vienna", "later"].map((name) => product.city(name)),
    );
    return cities.every((city) =>
      city?.status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True"),
    );
  });
  await sleep(5_000);
  expect(await holders()).toEqual(holdersBefore);
  // The status tells the tick that there is, also where it went back.
  const told = (await product.city("untouched"))?.status?.progress?.tick ?? 0;
  const [row] = await product.query("SELECT tick FROM city_fence WHERE city = 'untouched'");
  expect(Math.abs(told - Number(row?.["tick"]))).toBeLessThanOrEqual(4);
}, 60_000);

test("a suspension that the backup does not know is sealed again", async () => {
  const before = (await lastTicks()).get("suspended");
  await happensWithin(
    COMPLETE_READ_LIMIT_MS,
    "the seal",
    async () => (await fence("suspended"))?.["holder"] === null,
  );
  await sleep(2_000);
  expect((await lastTicks()).get("suspended")).toBe(before);
}, 90_000);

test("the operator takes the authority's older epoch as it is, and edits take effect", async () => {
  expect(Number((await product.query("SELECT epoch FROM authority"))[0]?.["epoch"])).toBe(1);
  await merge("untouched", { period: "250ms" });
  await happensWithin(RECOVERY_LIMIT_MS, "a tick in the new period", async () => {
    const rows = await product.query("SELECT 1 FROM tick WHERE city = 'untouched' AND period_ms = 250");
    return rows.length > 0;
  });
}, 60_000);

test("the auditor is content with the history that there is now", async () => {
  await product.expectAuditClean();
}, 60_000);
