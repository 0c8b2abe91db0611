import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { spawn, type ChildProcess } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { MYSQL_START_LIMIT_MS, freshDatabase, startTestMysql, type TestMysql } from "../../support/mysql.ts";
import { smallDay, writeDay } from "../../support/recorded-day.ts";
import { runToyDispatcher } from "../../support/toy-dispatcher.ts";

const MAIN = fileURLToPath(new URL("../../../local/traffic/main.ts", import.meta.url));
const WAIT_LIMIT_MS = 30_000;

let server: TestMysql;
let folder: string;
const children: ChildProcess[] = [];

beforeAll(async () => {
  server = await startTestMysql();
  folder = await mkdtemp(join(tmpdir(), "city-operator-day-"));
  await writeDay(folder, smallDay({ orders: 15, couriers: 15 }));
}, MYSQL_START_LIMIT_MS);
afterAll(async () => {
  for (const child of children) child.kill("SIGKILL");
  await server.close();
  await rm(folder, { recursive: true, force: true });
});

function startTraffic(variables: Readonly<Record<string, string>>) {
  const child = spawn(process.execPath, [MAIN], {
    env: { PATH: process.env["PATH"], ...variables },
    stdio: ["ignore", "pipe", "pipe"],
  });
  children.push(child);
  const output = { out: "", err: "" };
  child.stdout.on("data", (text: Buffer) => (output.out += text.toString()));
  child.stderr.on("data", (text: Buffer) => (output.err += text.toString()));
  const exited = new Promise<number | null>((resolve) => {
    child.once("close", (code) => resolve(code));
  });
  const until = async (condition: () => boolean | Promise<boolean>): Promise<void> => {
    const deadlineMs = performance.now() + WAIT_LIMIT_MS;
    while (!(await condition())) {
      if (performance.now() > deadlineMs) throw new Error(`the traffic did not come so far: ${output.err}`);
      await sleep(50);
    }
  };
  return { child, output, exited, until };
}

describe("the traffic process", () => {
  test("plays a recorded day to its end, sums it up in one line and exits; a city that has orders is refused", async () => {
    const database = await freshDatabase(server);
    const stop = new AbortController();
    const dispatching = runToyDispatcher({ database: database.open("worker"), city: "oslo" }, stop.signal);
    const variables = { FEED_URL: database.urls.feed, DAY: folder, CITY: "oslo", SPEED: "600" };
    const first = startTraffic(variables);
    expect(await first.exited).toBe(0);
    const lines = first.output.out.trim().split("\n");
    expect(lines).toHaveLength(1);
    const { summary } = JSON.parse(lines[0]!) as { readonly summary: Record<string, unknown> };
    expect(summary).toMatchObject({ city: "oslo", orders: 15, delivered: 15, undelivered: 0, declined: 0 });
    expect(summary["clickToDoorMinutes"]).toBeGreaterThan(12);
    expect(summary["readyToPickupMinutes"]).toBeGreaterThanOrEqual(0);
    const second = startTraffic(variables);
    expect(await second.exited).toBe(1);
    expect(second.output.err).toContain("choose another CITY");
    stop.abort(new Error("the test is over"));
    await dispatching;
    await database.close();
  }, 60_000);

  test("fills every city, logs its seed, and ends within a second of SIGTERM", async () => {
    const database = await freshDatabase(server);
    const traffic = startTraffic({ FEED_URL: database.urls.feed, CITIES: "madrid,paris", SEED: "42" });
    await traffic.until(async () => {
      const rows = await database.sql("SELECT COUNT(DISTINCT city) AS cities FROM orders");
      return Number(rows[0]!["cities"]) === 2;
    });
    expect(traffic.output.err).toContain('"seed":42');
    const startedMs = performance.now();
    traffic.child.kill("SIGTERM");
    expect(await traffic.exited).toBe(0);
    expect(performance.now() - startedMs).toBeLessThan(1_000);
    await database.close();
  }, 60_000);

  test("ends within a second of SIGTERM also when MySQL does not answer", async () => {
    const database = await freshDatabase(server);
    const traffic = startTraffic({ FEED_URL: database.urls.feed, CITIES: "madrid" });
    await traffic.until(() => traffic.output.err.includes("city opened"));
    server.freeze();
    try {
      await sleep(500);
      const startedMs = performance.now();
      traffic.child.kill("SIGTERM");
      expect(await traffic.exited).toBe(0);
      expect(performance.now() - startedMs).toBeLessThan(1_200);
    } finally {
      server.thaw();
    }
    await database.close();
  }, 60_000);

  test("waits for a MySQL that is not there yet, and goes on when it comes", async () => {
    const database = await freshDatabase(server);
    await server.stop();
    const traffic = startTraffic({ FEED_URL: database.urls.feed, CITIES: "madrid" });
    await traffic.until(() => traffic.output.err.includes("database call failed"));
    await server.restart();
    await traffic.until(() => traffic.output.err.includes("city opened"));
    traffic.child.kill("SIGTERM");
    expect(await traffic.exited).toBe(0);
    await database.close();
  }, 60_000);

  test("says everything that is wrong with its environment at once", async () => {
    const traffic = startTraffic({ CITIES: "Madrid,Paris", SPEED: "fast" });
    expect(await traffic.exited).toBe(1);
    for (const name of ["FEED_URL", "CITIES", "SPEED"]) expect(traffic.output.err).toContain(name);
  }, 20_000);
});
