import { afterAll, afterEach, beforeAll, describe, expect, test } from "@jest/globals";
import { readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import type { Lease } from "../../../crds/lease.ts";
import { LEASES } from "../../../runtime/kube/resources.ts";
import { START_LIMIT_MS } from "../../support/kube.ts";
import { assignmentsAtRest } from "../../support/rest.ts";
import { happensWithin } from "../../support/until.ts";
import { startProduct, type Product } from "../../support/product.ts";

/** What everybody stands on goes away and comes back: nothing moves, and work goes on by itself. */

const CITIES = ["berlin", "lisbon", "london", "madrid", "paris", "rome"];
const PERIOD_MS = 1_000;
let product: Product;

beforeAll(async () => {
  product = await startProduct({ cities: CITIES, settings: { auditLog: true } });
}, START_LIMIT_MS);

afterAll(async () => {
  await product?.stop();
}, 60_000);

afterEach(async () => {
  await product.expectAuditClean();
});

async function leader(): Promise<string | undefined> {
  const never = new AbortController().signal;
  const lease = await product.kube.get<Lease>(
    LEASES,
    { namespace: "default", name: "dispatch-operator" },
    never,
  );
  return lease?.spec?.holderIdentity;
}

type AuditLine = {
  readonly verb: string;
  readonly requestReceivedTimestamp: string;
  readonly user?: { readonly username?: string };
  readonly objectRef?: { readonly resource?: string; readonly subresource?: string; readonly name?: string };
};

/** Two operators with four watches each and three workers with one: what they may ask for when the API server is back. */
async function expectNoStormSince(sinceMs: number): Promise<void> {
  const log = await readFile(product.stack.api.auditLogFile!, "utf8");
  const ours = log
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as AuditLine)
    .filter(({ user, requestReceivedTimestamp }) => {
      const isOurs = ["operator", "worker"].includes(user?.username ?? "");
      return isOurs && Date.parse(requestReceivedTimestamp) >= sinceMs;
    });
  const count = (matches: (line: AuditLine) => boolean) => ours.filter(matches).length;
  const isWrite = ({ verb }: AuditLine) => ["create", "update", "patch", "delete"].includes(verb);
  expect(ours.length).toBeGreaterThan(0);
  const cityLeases = new Set(CITIES.map((city) => `city-${city}`));
  expect(count((line) => isWrite(line) && cityLeases.has(line.objectRef?.name ?? ""))).toBe(0);
  // Each watch that comes back asks once whether history is still the same, and may list once.
  expect(count(({ verb }) => verb === "list")).toBeLessThanOrEqual(3 * 11);
  // Progress, once a second and city.
  expect(count(({ objectRef }) => objectRef?.subresource === "status")).toBeLessThanOrEqual(
    20 * CITIES.length,
  );
}

describe("nobody moves", () => {
  test("when the leading operator is killed, and the other one leads within seconds", async () => {
    const before = await assignmentsAtRest(product);
    const killed = await leader();
    const pod = killed!.replace(/-[0-9a-f]+$/, "");
    const sinceMs = await product.databaseTimeMs();
    product.stack.processes.get(pod)!.signal("SIGKILL");
    await happensWithin(10_000, "another leader", async () => {
      const now = await leader();
      return now !== undefined && now !== "" && now !== killed;
    });
    await sleep(5_000);
    expect(await product.assignments()).toEqual(before);
    for (const city of CITIES) expect([city, await product.missedSlots(city, sinceMs)]).toEqual([city, 0]);
    // The new leader does its work.
    await product.apply("oslo", { period: "1s" });
    await product.awaitTicks(["oslo"], 0, 5_000);
    await product.stack.api.kubectl(["delete", "city", "oslo"]);
    product.stack.startOperator(pod);
  }, 120_000);

  test("when MySQL is away for 10 s, and ticks go on by themselves afterwards", async () => {
    const before = await assignmentsAtRest(product);
    await product.mysql.stop();
    await sleep(10_000);
    expect(await product.assignments()).toEqual(before);
    await happensWithin(1_000, "the condition DatabaseUnreachable", async () => {
      const city = await product.city("madrid");
      return (
        city?.status?.conditions?.find(({ type }) => type === "Dispatching")?.reason === "DatabaseUnreachable"
      );
    });
    await product.mysql.restart();
    await product.awaitTicks(CITIES, await product.databaseTimeMs(), 5_000);
    await sleep(5_000);
    expect(await product.assignments()).toEqual(before);
  }, 120_000);

  test("when MySQL is killed in the middle of its work, and no acknowledged tick is lost", async () => {
    const before = await assignmentsAtRest(product);
    await product.mysql.kill();
    await product.mysql.restart();
    await product.awaitTicks(CITIES, await product.databaseTimeMs(), 10_000);
    expect(await product.assignments()).toEqual(before);
  }, 120_000);

  test("when the API server is away for 30 s, while every city ticks on", async () => {
    const before = await assignmentsAtRest(product);
    const sinceMs = await product.databaseTimeMs();
    await product.stack.api.killApiServer();
    await sleep(30_000);
    const backMs = Date.now();
    await product.stack.api.restartApiServer();
    await sleep(10_000);
    expect(await product.assignments()).toEqual(before);
    for (const city of CITIES) expect([city, await product.missedSlots(city, sinceMs)]).toEqual([city, 0]);
    await expectNoStormSince(backMs);
  }, 180_000);
});

test("after all that a worker that dies still loses its cities within the bound", async () => {
  const [pod, cities] = [...(await product.holdings())][0]!;
  const killedMs = await product.databaseTimeMs();
  product.stack.processes.get(pod)!.signal("SIGKILL");
  await product.awaitTicks(cities, killedMs + 20, 3_000 + PERIOD_MS + 1_000);
}, 60_000);
