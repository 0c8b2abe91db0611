import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { setTimeout as sleep } from "node:timers/promises";
import { START_LIMIT_MS } from "../support/kube.ts";
import { startProduct, type Product } from "../support/product.ts";
import { assignmentsAtRest } from "../support/rest.ts";
import { happensWithin } from "../support/until.ts";

/** A new cluster takes over the database of an old one, as docs/runbooks/foreign-authority.md has it. */

const CITIES = ["lisbon", "madrid", "paris", "rome"];
const EFFECT_LIMIT_MS = 15_000;
let old: Product;
let next: Product;
let sinceMs: number;

beforeAll(async () => {
  old = await startProduct({ cities: CITIES, workers: 2, operators: 1 });
  next = await startProduct({
    cities: [],
    workers: 2,
    operators: 1,
    settings: { sharedDatabaseUrl: old.stack.urls.admin },
  });
  sinceMs = await old.databaseTimeMs();
}, START_LIMIT_MS);

afterAll(async () => {
  await next?.stop();
  await old?.stop();
}, 60_000);

async function readyReason(product: Product, city: string): Promise<string | undefined> {
  return (await product.city(city))?.status?.conditions?.find(({ type }) => type === "Ready")?.reason;
}

async function clusterUid({ stack }: Product): Promise<string> {
  const { stdout } = await stack.api.kubectl([
    "get",
    "namespace",
    "kube-system",
    "-o",
    "jsonpath={.metadata.uid}",
  ]);
  return stdout;
}

/** City, epoch and holder of every fence. */
async function fences(): Promise<readonly (readonly [string, number, string])[]> {
  const rows = await old.query("SELECT city, epoch, holder FROM city_fence ORDER BY city");
  return rows.map((row) => [String(row["city"]), Number(row["epoch"]), String(row["holder"])] as const);
}

test("the new cluster refuses to assign what it is given, and says so on every City", async () => {
  for (const city of CITIES) await next.apply(city, { period: "1s" });
  for (const city of CITIES) {
    await happensWithin(
      EFFECT_LIMIT_MS,
      `the reason ForeignAuthority on ${city}`,
      async () => (await readyReason(next, city)) === "ForeignAuthority",
    );
  }
  await sleep(2_000);
  expect(await next.assignments()).toEqual([]);
  expect((await fences()).map(([city, epoch]) => [city, epoch])).toEqual(CITIES.map((city) => [city, 1]));
  await old.awaitTicks(CITIES, await old.databaseTimeMs(), EFFECT_LIMIT_MS);
}, 60_000);

test("after take-authority every City ticks in the new cluster, and none has missed a slot", async () => {
  await assignmentsAtRest(old);
  const env = { ...process.env, DATABASE_URL: next.stack.urls.operator };
  const args = [
    "--disable-warning=ExperimentalWarning",
    "db/main.ts",
    "take-authority",
    await clusterUid(next),
  ];
  await promisify(execFile)(process.execPath, args, { env });
  await happensWithin(EFFECT_LIMIT_MS, "a claim of the new cluster on every City", async () =>
    (await fences()).every(([, epoch]) => epoch === 2),
  );
  const assigned = (await next.assignments()).map((line) => line.split(" ").slice(0, 2));
  expect((await fences()).map(([city, , holder]) => [city, holder])).toEqual(assigned);
  await sleep(3_000);
  await next.awaitTicks(CITIES, await next.databaseTimeMs(), EFFECT_LIMIT_MS);
  for (const city of CITIES) expect([city, await old.missedSlots(city, sinceMs)]).toEqual([city, 0]);
  for (const city of CITIES) {
    await happensWithin(
      EFFECT_LIMIT_MS,
      `${city} Ready`,
      async () => (await readyReason(next, city)) === "Ticking",
    );
  }
}, 120_000);

test("the old cluster says ForeignAuthority, and its Cities can be deleted without harm to the new one's", async () => {
  for (const city of CITIES) {
    await happensWithin(
      EFFECT_LIMIT_MS,
      `the reason ForeignAuthority on ${city}`,
      async () => (await readyReason(old, city)) === "ForeignAuthority",
    );
  }
  const { code, stderr } = await old.stack.api.kubectl(["delete", "cities", "--all", "--timeout=20s"]);
  expect([code, stderr]).toEqual([0, ""]);
  await next.awaitTicks(CITIES, (await next.databaseTimeMs()) + 1, EFFECT_LIMIT_MS);
  expect((await fences()).every(([, epoch, holder]) => epoch === 2 && holder !== "null")).toBe(true);
}, 60_000);

test("the auditor is content with the history of both", async () => {
  await next.expectAuditClean();
}, 60_000);
