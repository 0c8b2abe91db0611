import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { startTraffic, type Traffic } from "../../../local/demo/traffic.ts";
import { panelsOf, type Dashboard } from "../../../local/monitoring/dashboards/dashboard.ts";
import { DASHBOARDS } from "../../../local/monitoring/derived.ts";
import { START_LIMIT_MS } from "../../support/kube.ts";
import { LOSS_WINDOW_MS } from "../../../operator/cities/brake.ts";
import { startProduct, type Product } from "../../support/product.ts";
import {
  metricsAddress,
  NAMESPACE_OF_SERIES,
  startPrometheus,
  type Prometheus,
} from "../../support/prometheus.ts";
import { happensWithin } from "../../support/until.ts";

/** The whole product under a real Prometheus: every indicator moves with what it is for, and every panel has something to show. */

const CITIES = ["berlin", "lisbon", "london", "madrid", "paris"];
/** Has no courier, and one order. */
const FORSAKEN = "oslo";
const PROCESSES = ["operator-1", "operator-2", "worker-1", "worker-2", "worker-3"];
const RULES = "helm/city-operator/files/rules.yaml";
/** Building Prometheus takes minutes once per machine. */
const BUILD_LIMIT_MS = 900_000;
const DATA_LIMIT_MS = 60_000;
const OUTAGE_MS = 8_000;

let directory: string;
let prometheus: Prometheus;
let product: Product;
let traffic: Traffic;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "city-operator-prometheus-"));
  prometheus = await startPrometheus({ directory, rules: RULES });
  product = await startProduct({ cities: [...CITIES, FORSAKEN] });
  traffic = startTraffic({ stack: product.stack, cities: CITIES, day: undefined, speed: 1, seed: 7 });
  await scrapeAll();
}, BUILD_LIMIT_MS + START_LIMIT_MS);

afterAll(async () => {
  await traffic?.stop();
  await product?.stop();
  await prometheus?.stop();
  if (directory !== undefined) await rm(directory, { recursive: true });
}, 60_000);

async function scrapeAll(): Promise<void> {
  const targets = new Map<string, string>();
  for (const name of PROCESSES) {
    // One that is still starting may be left behind by those that tick already.
    await happensWithin(DATA_LIMIT_MS, `the start of ${name}`, async () =>
      (await product.log(name)).includes(" started"),
    );
    targets.set(name, metricsAddress(await product.log(name)));
  }
  await prometheus.scrape(targets);
}

/** Waits for the sum over all series to satisfy the condition; the error says what it was instead. */
async function sumBecomes(query: string, condition: (sum: number) => boolean): Promise<void> {
  let last: readonly number[] = [];
  await happensWithin(
    DATA_LIMIT_MS,
    () => `a value of ${query} as expected, which is [${last.join(", ")}] now,`,
    async () => {
      last = await prometheus.now(query);
      const isMet = last.length > 0 && condition(last.reduce((sum, value) => sum + value, 0));
      if (!isMet) await sleep(250);
      return isMet;
    },
  );
}

/** Pods that hold cities, with these, the fullest first. */
async function byCities(): Promise<readonly (readonly [pod: string, cities: readonly string[]])[]> {
  return [...(await product.holdings())].toSorted(([, left], [, right]) => right.length - left.length);
}

const atLeast =
  (least: number) =>
  (sum: number): boolean =>
    sum >= least;

describe("an indicator", () => {
  test("tells that all is well", async () => {
    await sumBecomes('dispatch_operator_cities{state="ticking"}', (sum) => sum === CITIES.length + 1);
    await sumBecomes(
      "count(dispatch_operator_city_commit_age_seconds < 4)",
      (sum) => sum === CITIES.length + 1,
    );
    await sumBecomes('dispatch_operator_workers{liveness="live"}', (sum) => sum === 3);
    // One tick a second each.
    await sumBecomes(
      "sum(rate(dispatch_operator_committed_ticks_total[10s]))",
      (sum) => Math.abs(sum - CITIES.length - 1) < 1.5,
    );
    await sumBecomes(
      'sum(rate(dispatch_operator_city_seconds_total{commit="on-time"}[10s]))',
      (sum) => Math.abs(sum - CITIES.length - 1) < 1.5,
    );
    await sumBecomes('dispatch_worker_decisions_total{result="applied"}', atLeast(5));
  }, 120_000);

  test("tells of an order that nobody takes", async () => {
    await product.query(
      "INSERT INTO stores (city, id, name, latitude, longitude) VALUES (?, 's1', 'Store', 59.9, 10.7)",
      [FORSAKEN],
    );
    await product.query(
      `INSERT INTO orders (city, id, store_id, latitude, longitude, placed_at, ready_at)
       VALUES (?, 'o1', 's1', 59.91, 10.71, NOW(3) - INTERVAL 20 MINUTE, NOW(3) - INTERVAL 5 MINUTE)`,
      [FORSAKEN],
    );
    await sumBecomes(
      "max(dispatch_worker_oldest_unassigned_order_seconds)",
      (age) => age > 1_200 && age < 1_500,
    );
  }, 90_000);

  test("tells of a handoff, and of what it was for", async () => {
    const [pod] = (await byCities())[0]!;
    const drained = product.stack.processes.get(pod)!;
    drained.signal("SIGTERM");
    await drained.exited;
    await sumBecomes(
      'dispatch_operator_handoff_gap_beyond_period_seconds_count{because="holder-draining"}',
      atLeast(1),
    );
    product.stack.startWorker(pod);
    await awaitWorkers(3);
    await scrapeAll();
  }, 120_000);

  test("tells of a takeover, of its gap, and of the slots that it cost", async () => {
    const [pod, theirs] = (await byCities())[0]!;
    product.stack.processes.get(pod)!.signal("SIGKILL");
    const takeover = "dispatch_operator_takeover_gap_beyond_period_seconds";
    // Three heartbeats of a second were missed before anybody could know; some cities may have stalled by then.
    await sumBecomes(`${takeover}_count`, atLeast(theirs.length));
    await sumBecomes(`sum(${takeover}_sum) / sum(${takeover}_count)`, (gap) => gap > 1 && gap < 10);
    await sumBecomes("dispatch_operator_missed_slots_total", atLeast(2 * theirs.length));
    await sumBecomes(`dispatch_operator_city_missed_slots_total{city="${theirs[0]}"}`, atLeast(2));
    await sumBecomes(`dispatch_operator_city_moves_total{city="${theirs[0]}"}`, atLeast(1));
    product.stack.startWorker(pod);
    await awaitWorkers(3);
    await scrapeAll();
  }, 120_000);

  test("tells of a worker that was frozen, and whose ticks are fenced when it thaws", async () => {
    const [pod, theirs] = (await byCities())[0]!;
    const frozen = product.stack.processes.get(pod)!;
    frozen.signal("SIGSTOP");
    await awaitWorkers(2);
    await product.awaitTicks(theirs, await product.databaseTimeMs(), 20_000);
    frozen.signal("SIGCONT");
    await sumBecomes(`dispatch_worker_ticks_total{pod="${pod}",outcome="fenced"}`, atLeast(1));
    await awaitWorkers(3);
  }, 120_000);

  test("tells of most workers lost at once, and of the brake that holds", async () => {
    // Whoever was lost in the tests before does not count any more.
    await sleep(LOSS_WINDOW_MS);
    await sumBecomes('dispatch_operator_brake{brake="most-lost"}', (sum) => sum === 0);
    const [before = 0] = await prometheus.now('sum(dispatch_operator_brakes_total{brake="most-lost"})');
    // Only a loss with cities in the hands counts.
    const lost = (await byCities()).slice(0, 2).map(([pod]) => pod);
    expect(lost.length).toBe(2);
    for (const pod of lost) product.stack.processes.get(pod)!.signal("SIGKILL");
    await sumBecomes('dispatch_operator_brakes_total{brake="most-lost"}', atLeast(before + 1));
    await sumBecomes('dispatch_operator_waiting_cities{because="most-lost"}', atLeast(1));
    for (const pod of lost) product.stack.startWorker(pod);
    await awaitWorkers(3);
    await sumBecomes('dispatch_operator_cities{state="ticking"}', (sum) => sum === CITIES.length + 1);
    await scrapeAll();
  }, 150_000);

  test("tells of a database that is away, and of the time that it made late", async () => {
    await product.mysql.stop();
    await sumBecomes("max(dispatch_operator_database_silence_seconds)", atLeast(OUTAGE_MS / 1_000));
    await product.mysql.restart();
    await sumBecomes('dispatch_operator_city_seconds_total{commit="late"}', atLeast(CITIES.length));
    await sumBecomes('sum(dispatch_worker_missed_ticks_total{because="database"})', atLeast(CITIES.length));
    await sumBecomes(
      'sum(dispatch_worker_database_failures_total{because="database-unreachable"})',
      atLeast(1),
    );
    await sumBecomes('dispatch_operator_cities{state="ticking"}', (sum) => sum === CITIES.length + 1);
    // What was late counts against the budget.
    await sumBecomes("namespace:dispatch_late:ratio_rate5m", (ratio) => ratio > 0.01);
  }, 120_000);
});

async function awaitWorkers(count: number): Promise<void> {
  await sumBecomes('dispatch_operator_workers{liveness="live"}', (sum) => sum === count);
}

/** As Grafana would, with everything chosen. */
function filledIn(query: string): string {
  return query
    .replaceAll("$__rate_interval", "20s")
    .replaceAll("$namespace", NAMESPACE_OF_SERIES)
    .replaceAll(/\$(city|pod)/g, ".*");
}

describe.each(DASHBOARDS.map((dashboard) => [dashboard.title, dashboard] as const))(
  "%s",
  (_title, dashboard) => {
    test("shows something on every panel, for every query", async () => {
      let empty: readonly string[] = [];
      await happensWithin(
        DATA_LIMIT_MS,
        () => `data for ${empty.join("; ")}`,
        async () => {
          empty = await emptyQueries(dashboard);
          if (empty.length > 0) await sleep(1_000);
          return empty.length === 0;
        },
      );
      expect(panelsOf(dashboard).length).toBeGreaterThan(4);
    }, 90_000);

    test("offers something to choose for every variable", async () => {
      for (const { name, values } of dashboard.variables) {
        const [, series = "", label = ""] = /^label_values\((.*), (\w+)\)$/.exec(values) ?? [];
        expect(label).toBe(name);
        expect((await prometheus.now(`group by (${label}) (${filledIn(series)})`)).length).toBeGreaterThan(1);
      }
    });
  },
);

/** Of the panels, those queries that return no sample; one that does not parse throws. */
async function emptyQueries(dashboard: Dashboard): Promise<readonly string[]> {
  const empty: string[] = [];
  for (const { title, kind, queries } of panelsOf(dashboard)) {
    for (const { query } of queries) {
      const ask = kind === "timeseries" ? prometheus.range : prometheus.now;
      if ((await ask(filledIn(query))).length === 0) empty.push(`${title}: ${query}`);
    }
  }
  return empty;
}

test.each(["orders-wait", "ticks-degraded", "handoffs-slow"])(
  "what the runbook %s asks MySQL has an answer",
  async (runbook) => {
    const text = await readFile(`docs/runbooks/${runbook}.md`, "utf8");
    const blocks = [...text.matchAll(/^ *```sql\n([^`]*)```/gm)].map(([, block = ""]) => block);
    const statements = blocks.flatMap((block) => block.split(";")).filter((sql) => sql.trim() !== "");
    expect(statements.length).toBeGreaterThan(0);
    for (const sql of statements) expect((await product.query(sql)).length).toBeGreaterThan(0);
  },
);

test("nothing that was committed meanwhile is wrong", async () => {
  await product.expectAuditClean();
}, 60_000);
