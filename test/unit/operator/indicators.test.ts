import { beforeEach, describe, expect, test } from "@jest/globals";
import { parseToken } from "../../../crds/token.ts";
import { placeCities } from "../../../operator/cities/place.ts";
import type { CityView, FleetView } from "../../../operator/cities/view.ts";
import { gapBeyondPeriodMs, slotsMissedBetween, type Commit } from "../../../operator/indicators/judge.ts";
import {
  CITY_SERIES_MAX,
  createIndicators,
  type Indicators,
} from "../../../operator/indicators/indicators.ts";
import { createOperatorMetrics } from "../../../operator/metrics.ts";
import { createFakeClock, type FakeClock } from "../../support/fake-clock.ts";
import { cityView, fenceView, fleetView, leaseView, workerView } from "../../support/fleet.ts";
import { createMetricValues, type MetricValues } from "../../support/metric-values.ts";

const PERIOD_MS = 1_000;
const commit = (tick: bigint, slotMs: number, committedAtMs = slotMs + 50): Commit => ({
  tick,
  slotMs,
  committedAtMs,
  periodMs: PERIOD_MS,
});

describe("between two commits of a city", () => {
  test("every slot without a tick is missed, also where ticks in between were not seen on their own", () => {
    expect(slotsMissedBetween(commit(4n, 4_000), commit(5n, 5_000))).toBe(0);
    expect(slotsMissedBetween(commit(4n, 4_000), commit(7n, 7_000))).toBe(0);
    expect(slotsMissedBetween(commit(4n, 4_000), commit(5n, 7_000))).toBe(2);
    expect(slotsMissedBetween(commit(4n, 4_000), commit(6n, 9_000))).toBe(3);
  });

  test("nothing is missed by a change of the period, or by a database that went back", () => {
    expect(slotsMissedBetween(commit(4n, 4_000), { ...commit(5n, 60_000), periodMs: 60_000 })).toBe(0);
    expect(slotsMissedBetween(commit(9n, 9_000), commit(4n, 4_000))).toBe(0);
  });

  test("the gap is what is more than the periods of the ticks between", () => {
    expect(gapBeyondPeriodMs(commit(4n, 4_000), commit(5n, 5_000))).toBe(0);
    expect(gapBeyondPeriodMs(commit(4n, 4_000), commit(5n, 6_000, 6_250))).toBe(1_200);
    expect(gapBeyondPeriodMs(commit(4n, 4_000), commit(6n, 7_000))).toBe(1_000);
  });
});

describe("the indicators", () => {
  let clock: FakeClock;
  let values: MetricValues;
  let indicators: Indicators;

  beforeEach(() => {
    clock = createFakeClock();
    values = createMetricValues();
    indicators = createIndicators({ clock, metrics: createOperatorMetrics(values.metrics) });
  });

  /** A look at these cities, a second after the one before. */
  async function look(cities: readonly CityView[], fields: Partial<FleetView> = {}): Promise<void> {
    await clock.advance(1_000);
    const nowMs = clock.monotonicMs();
    const workers = [workerView("w1"), workerView("w2")];
    const view = fleetView({ cities, workers, fields: { nowMs, ...fields } });
    indicators.observe(view, placeCities(view));
  }

  /** Held by `w1`, after a tick that was committed just now. */
  function ticking(
    tick: bigint,
    fields: { readonly token?: string; readonly slotMs?: number } = {},
  ): CityView {
    const token = parseToken(fields.token ?? "7");
    const slotMs = fields.slotMs ?? Number(tick) * PERIOD_MS;
    const fence = fenceView({
      tick,
      slotMs,
      committedAtMs: slotMs + 50,
      holder: "w1",
      token,
      advancedMs: clock.monotonicMs(),
    });
    const city = cityView("madrid", { holder: "w1", watchedSinceMs: 0 });
    return { ...city, lease: { ...leaseView(), ...city.lease, token }, fence };
  }

  test("count ticks and missed slots of the fleet, and of the city", async () => {
    await look([ticking(4n)]);
    await look([ticking(5n)]);
    await look([ticking(6n, { slotMs: 8_000 })]);
    expect(await values.value("dispatch_operator_committed_ticks_total")).toBe(2);
    expect(await values.value("dispatch_operator_missed_slots_total")).toBe(2);
    expect(await values.value('dispatch_operator_city_missed_slots_total{city="madrid"}')).toBe(2);
  });

  test("spend late time on a city whose commit grows old, and say since when", async () => {
    const city = ticking(4n);
    for (let second = 0; second < 7; second++) await look([city]);
    expect(await values.value('dispatch_operator_city_commit_age_seconds{city="madrid"}')).toBe(7);
    // Two periods, and the two seconds by which the operator may learn of a commit late.
    expect(await values.value('dispatch_operator_city_seconds_total{commit="on-time"}')).toBe(3);
    expect(await values.value('dispatch_operator_city_seconds_total{commit="late"}')).toBe(3);
  });

  test("do not forget the age of a commit when the operator begins to observe afresh", async () => {
    const city = ticking(4n);
    await look([city]);
    await clock.advance(9_000);
    await look([{ ...city, fence: { ...city.fence!, advancedMs: clock.monotonicMs() } }]);
    expect(await values.value('dispatch_operator_city_commit_age_seconds{city="madrid"}')).toBe(11);
  });

  test("count a stall once, when it begins", async () => {
    const city = ticking(4n);
    for (let second = 0; second < 9; second++) await look([city]);
    expect(await values.value("dispatch_operator_stalls_total")).toBe(1);
    expect(await values.value('dispatch_operator_cities{state="stalled"}')).toBe(1);
  });

  test("count a stall also where the city is moved before anybody looks, and only once", async () => {
    await look([ticking(4n)]);
    indicators.assigned("madrid", parseToken("8"), "stalled");
    expect(await values.value("dispatch_operator_stalls_total")).toBe(1);
    const city = ticking(4n);
    for (let second = 0; second < 9; second++) await look([city]);
    indicators.assigned("madrid", parseToken("9"), "stalled");
    expect(await values.value("dispatch_operator_stalls_total")).toBe(2);
  });

  test("hold nothing against a city while it is suspended, nor for that time afterwards", async () => {
    await look([ticking(4n)]);
    for (let second = 0; second < 9; second++) await look([{ ...ticking(4n), isSuspended: true }]);
    // Resumed, but the last commit is still that from before.
    const resumed = ticking(4n);
    const fence = { ...resumed.fence!, advancedMs: 1_000 };
    for (let second = 0; second < 2; second++) await look([{ ...resumed, fence }]);
    await look([ticking(5n, { slotMs: 90_000 })]);
    expect(await values.value("dispatch_operator_missed_slots_total")).toBe(0);
    expect(await values.value('dispatch_operator_city_seconds_total{commit="late"}')).toBe(0);
    await look([{ ...ticking(4n), isSuspended: true }]);
    expect(await values.value('dispatch_operator_city_commit_age_seconds{city="madrid"}')).toBeUndefined();
  });

  test("hold nothing against a City for the time before it was created, when another had its name", async () => {
    const { city, ...view } = ticking(4n);
    const creationTimestamp = new Date(60_000).toISOString();
    const anew = { ...view, city: { ...city, metadata: { ...city.metadata, creationTimestamp } } };
    const since = { ...anew, fence: { ...anew.fence!, advancedMs: -50_000 } };
    await look([since]);
    expect(await values.value('dispatch_operator_city_commit_age_seconds{city="madrid"}')).toBe(0);
    const fence = ticking(5n, { slotMs: 61_000 }).fence;
    await look([{ ...anew, fence }]);
    expect(await values.value("dispatch_operator_missed_slots_total")).toBe(0);
    expect(await values.value('dispatch_operator_city_seconds_total{commit="late"}')).toBe(0);
  });

  test.each([
    ["holder-draining", "handoff"],
    ["balance", "handoff"],
    ["holder-gone", "takeover"],
    ["stalled", "takeover"],
  ] as const)("measure the gap of a move for %s as that of a %s", async (because, kind) => {
    await look([ticking(4n)]);
    indicators.assigned("madrid", parseToken("8"), because);
    // The former holder goes on until the next one claims.
    await look([ticking(5n)]);
    await look([ticking(6n, { token: "8", slotMs: 9_000 })]);
    const name = `dispatch_operator_${kind}_gap_beyond_period_seconds`;
    expect(await values.value(`${name}_count{because="${because}"}`)).toBe(1);
    expect(await values.value(`${name}_sum{because="${because}"}`)).toBe(3);
    expect(await values.value('dispatch_operator_city_moves_total{city="madrid"}')).toBe(1);
  });

  test("measure a move also where the claim was seen together with the former holder's last commit", async () => {
    await look([ticking(4n)]);
    indicators.assigned("madrid", parseToken("8"), "holder-draining");
    const claimed = ticking(5n, { token: "8" });
    await look([{ ...claimed, fence: { ...claimed.fence!, claimedAtMs: 5_060 } }]);
    const name = "dispatch_operator_handoff_gap_beyond_period_seconds_count";
    expect(await values.value(`${name}{because="holder-draining"}`)).toBe(0);
    await look([ticking(6n, { token: "8" })]);
    expect(await values.value(`${name}{because="holder-draining"}`)).toBe(1);
  });

  test("give the gap of a city that was moved twice to what began it", async () => {
    await look([ticking(4n)]);
    indicators.assigned("madrid", parseToken("8"), "holder-gone");
    indicators.assigned("madrid", parseToken("9"), "stalled");
    await look([ticking(5n, { token: "9" })]);
    const name = "dispatch_operator_takeover_gap_beyond_period_seconds_count";
    expect(await values.value(`${name}{because="holder-gone"}`)).toBe(1);
    expect(await values.value(`${name}{because="stalled"}`)).toBe(0);
  });

  test("say why cities wait, when the brake took hold, and whose the authority is", async () => {
    const city = ticking(4n);
    const lost = { ...city, lease: leaseView({ worker: "w9" }), fence: { ...city.fence!, holder: "w9" } };
    await look([lost], { isDatabaseReachable: false, authority: { kind: "ours", epoch: 1n } });
    expect(await values.value('dispatch_operator_waiting_cities{because="database-unreachable"}')).toBe(1);
    const nowMs = clock.monotonicMs();
    const losses = new Map(["a", "b", "c"].map((worker) => [worker, nowMs] as const));
    await look([lost], { lostMs: losses });
    await look([lost], { lostMs: losses });
    expect(await values.value('dispatch_operator_brake{brake="most-lost"}')).toBe(1);
    expect(await values.value('dispatch_operator_brakes_total{brake="most-lost"}')).toBe(1);
    await look([lost], { authority: { kind: "foreign", clusterUid: "other", epoch: 2n } });
    expect(await values.value("dispatch_operator_foreign_authority")).toBe(1);
  });

  test("fall silent about the cities when the replica leads no more", async () => {
    await look([ticking(4n)]);
    expect(await values.value('dispatch_operator_cities{state="ticking"}')).toBe(1);
    indicators.rest();
    expect(await values.value('dispatch_operator_cities{state="ticking"}')).toBe(0);
    expect(await values.value('dispatch_operator_workers{liveness="live"}')).toBe(0);
    expect(await values.value('dispatch_operator_city_commit_age_seconds{city="madrid"}')).toBeUndefined();
  });

  test("forget a City that is gone, and give series to no more than they may", async () => {
    await look([ticking(4n)]);
    const many = Array.from({ length: CITY_SERIES_MAX + 1 }, (_, index) => cityView(`city-${index}`));
    await look(many);
    const text = await values.metrics.registry.getSingleMetricAsString(
      "dispatch_operator_city_commit_age_seconds",
    );
    expect(text).not.toContain("madrid");
    expect(text.match(/^dispatch_operator_city_commit_age_seconds\{/gm)).toHaveLength(CITY_SERIES_MAX);
  });
});
