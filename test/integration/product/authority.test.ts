import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { setTimeout as sleep } from "node:timers/promises";
import { START_LIMIT_MS } from "../../support/kube.ts";
import { happensWithin } from "../../support/until.ts";
import { startProduct, type Product } from "../../support/product.ts";

/** Two clusters, one database: the second one refuses to assign until a person hands the authority over. */

const OTHER_CLUSTER = "99999999-9999-4999-8999-999999999999";
let product: Product;

beforeAll(async () => {
  product = await startProduct({ cities: ["madrid"], workers: 1, operators: 1 });
}, START_LIMIT_MS);

afterAll(async () => {
  await product?.stop();
}, 60_000);

async function takeAuthority(clusterUid: string): Promise<string> {
  const env = { ...process.env, DATABASE_URL: product.stack.urls.operator };
  const args = ["--disable-warning=ExperimentalWarning", "db/main.ts", "take-authority", clusterUid];
  const { stdout } = await promisify(execFile)(process.execPath, args, { env });
  return stdout;
}

const readyReason = async (city: string): Promise<string | undefined> =>
  (await product.city(city))?.status?.conditions?.find(({ type }) => type === "Ready")?.reason;

test("a cluster that is not the authority assigns nothing and says so on every City", async () => {
  await takeAuthority(OTHER_CLUSTER);
  await happensWithin(
    10_000,
    "the reason ForeignAuthority",
    async () => (await readyReason("madrid")) === "ForeignAuthority",
  );
  await product.apply("paris", { period: "1s" });
  await happensWithin(
    5_000,
    "the reason ForeignAuthority",
    async () => (await readyReason("paris")) === "ForeignAuthority",
  );
  const { stdout } = await product.stack.api.kubectl([
    "get",
    "city",
    "paris",
    "-o",
    "jsonpath={.status.conditions[?(@.type=='Ready')].message}",
  ]);
  expect(stdout).toContain(OTHER_CLUSTER);
  expect(stdout).toContain("docs/authority.md");
  expect(await product.query("SELECT 1 FROM city_fence WHERE city = 'paris'")).toEqual([]);
});

test("the old holders go on committing until somebody else claims", async () => {
  await product.awaitTicks(["madrid"], await product.databaseTimeMs(), 3_000);
});

test("after the documented command the cluster assigns, under a higher epoch", async () => {
  const namespace = await product.stack.api.kubectl([
    "get",
    "namespace",
    "kube-system",
    "-o",
    "jsonpath={.metadata.uid}",
  ]);
  await takeAuthority(namespace.stdout);
  await product.awaitTicks(["paris"], 0, 10_000);
  const [fence] = await product.query("SELECT epoch FROM city_fence WHERE city = 'paris'");
  expect(Number(fence?.["epoch"])).toBe(3);
  await happensWithin(10_000, "madrid Ready", async () => (await readyReason("madrid")) === "Ticking");
  await sleep(1_000);
  await product.expectAuditClean();
});
