import { afterAll, beforeAll, expect, test } from "@jest/globals";
import type { Browser } from "playwright-core";
import type { City } from "../../crds/city.ts";
import { parseToken } from "../../crds/token.ts";
import { openDatabase } from "../../db/pool.ts";
import type { CityLook, FleetLook } from "../../operator/cities/view.ts";
import { openConsole, type Console } from "../../operator/console/console.ts";
import { systemClock } from "../../runtime/clock.ts";
import { silentLog } from "../../runtime/log.ts";
import { cityOf } from "../support/cities.ts";
import { followStream } from "../support/console-stream.ts";
import { leaseView, workerView } from "../support/fleet.ts";
import { launchChromium, openPage } from "./browser.ts";

/** What ten thousand cities cost the operator, the wire and the page. The fleet is made up; all that shows it is real. */

const CITIES = 10_000;
const WORKERS = 200;
const PERIOD_MS = 5_000;
const SECONDS = 15;
/** A look must leave the operator's thread to others, and a page must not stutter. */
const LOOK_MS_MAX = 250;
const DRAW_MS_MAX = 250;
const BYTES_PER_SECOND_MAX = 400_000;

let browser: Browser;
let console: Console;
let serving: Promise<void>;
const ending = new AbortController();
const startedMs = Date.now();
const lookMs: number[] = [];

const workerOf = (index: number): string => `worker-${String(index % WORKERS).padStart(3, "0")}-0a1b2c`;
const isStopped = (index: number): boolean => index % 500 === 3;

/** As the leader would have written it. */
function cityAt(index: number): City {
  const ready = {
    type: "Ready" as const,
    status: isStopped(index) ? ("False" as const) : ("True" as const),
    reason: isStopped(index) ? "Stalled" : "Ticking",
    message: isStopped(index)
      ? `no tick has been committed for 3 periods of 5s; see the log of ${workerOf(index)}`
      : "dispatching: a tick every 5s",
    observedGeneration: 1,
    lastTransitionTime: "2026-01-01T00:00:00Z",
  };
  return { ...cityOf(`city-${String(index).padStart(5, "0")}`), status: { conditions: [ready] } };
}

const bases = Array.from({ length: CITIES }, (_, index): CityLook => {
  const lease = leaseView({ worker: workerOf(index), token: parseToken(String(1_000 + index)) });
  return {
    city: cityAt(index),
    periodMs: PERIOD_MS,
    lease,
    fence: undefined,
  };
});
const workers = new Map(
  Array.from({ length: WORKERS }, (_, index) => [
    workerOf(index),
    workerView(workerOf(index), { zone: `zone-${1 + (index % 3)}` }),
  ]),
);

/** Each commits once in a period, every one at its own time; one in five hundred has stopped a while ago. */
function look(): FleetLook {
  const nowMs = Date.now();
  const cities = bases.map((base, index): CityLook => {
    const phaseMs = (index * 7_919) % PERIOD_MS;
    const stoppedMs = isStopped(index) ? startedMs - (index % 4_000) * 10 : nowMs;
    const slotMs = Math.floor((stoppedMs - phaseMs) / PERIOD_MS) * PERIOD_MS + phaseMs;
    const { token } = base.lease ?? leaseView();
    const times = { slotMs, claimedAtMs: startedMs, committedAtMs: slotMs, changedAtMs: slotMs };
    const fence = {
      city: base.city.metadata.name,
      epoch: 1n,
      token,
      holder: workerOf(index),
      tick: 1n,
      dispatcherFailure: undefined,
      ...times,
    };
    return { ...base, fence };
  });
  return { databaseNowMs: nowMs, isDatabaseReachable: true, workers, cities };
}

beforeAll(async () => {
  console = await openConsole(
    {
      clock: systemClock,
      log: silentLog,
      // Nobody opens a city's page here, so nobody asks it.
      database: openDatabase({
        url: "mysql://nobody@127.0.0.1:1/none",
        connectionsMax: 1,
        clock: systemClock,
        log: silentLog,
      }),
      look: () => {
        const made = look();
        // From here to the next turn of the loop is the console's own work; in time of this thread, whatever else runs.
        const begin = process.threadCpuUsage();
        setImmediate(() => {
          const { user, system } = process.threadCpuUsage(begin);
          lookMs.push((user + system) / 1_000);
        });
        return made;
      },
      replica: () => ({
        replica: "operator-1",
        isLeading: true,
        trouble: undefined,
        authority: { kind: "ours", epoch: 1n },
      }),
    },
    0,
  );
  serving = console.run(ending.signal);
  browser = await launchChromium();
}, 60_000);

afterAll(async () => {
  await browser?.close();
  ending.abort(new Error("the test is over"));
  await serving;
});

test("ten thousand cities travel as changes and are drawn without a stutter", async () => {
  const complaints: string[] = [];
  const url = `http://127.0.0.1:${console.port}/`;
  const page = await openPage(browser, url, { scheme: "light", complaints });
  await page.locator(`#grid-active[aria-setsize="${CITIES}"]`).waitFor({ state: "attached" });
  const stream = await followStream(`${url}stream/fleet`);
  while (stream.messages === 0) await page.waitForTimeout(50);
  const wholeBytes = stream.bytes;
  lookMs.length = 0;
  await page.evaluate("performance.clearMeasures()");
  await page.waitForTimeout(SECONDS * 1_000);
  const drawMs = await page.evaluate<number[]>(
    "performance.getEntriesByName('draw').map((entry) => entry.duration)",
  );
  const perSecond = Math.round((stream.bytes - wholeBytes) / SECONDS);
  const line = `10,000 cities: whole picture ${Math.round(wholeBytes / 1_000)} kB, changes ${Math.round(perSecond / 1_000)} kB/s for each who looks; operator ${median(lookMs)} ms of its thread a second with two of them; page ${median(drawMs)} ms a drawing (worst ${Math.round(Math.max(...drawMs))})`;
  process.stderr.write(`${line}\n`);
  await page.locator("#order").selectOption("urgency");
  await page.screenshot({ path: "docs/console/ten-thousand.png" });
  await stream.close();
  expect(drawMs.length).toBeGreaterThan(SECONDS / 2);
  expect(perSecond).toBeLessThan(BYTES_PER_SECOND_MAX);
  expect(median(lookMs)).toBeLessThan(LOOK_MS_MAX);
  expect(median(drawMs)).toBeLessThan(DRAW_MS_MAX);
  expect(await page.locator("#troubled-rows tr").count()).toBeGreaterThan(0);
  expect(complaints).toEqual([]);
}, 120_000);

function median(values: readonly number[]): number {
  return Math.round(values.toSorted((left, right) => left - right)[Math.floor(values.length / 2)] ?? 0);
}
