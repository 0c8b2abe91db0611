import { encodeAssignment, encodeHeartbeat } from "../../crds/lease.ts";
import { CITIES, SEAL_FINALIZER, taskSpecOf, type City } from "../../crds/city.ts";
import { parseToken } from "../../crds/token.ts";
import type { FenceProgress } from "../../db/progress.ts";
import { placeCities } from "../../operator/cities/place.ts";
import { Statuses } from "../../operator/cities/statuses.ts";
import { Fleet } from "../../operator/fleet.ts";
import { Progress } from "../../operator/progress/progress.ts";
import { systemClock } from "../../runtime/clock.ts";
import { EnvironmentReader } from "../../runtime/environment.ts";
import { LEASES } from "../../runtime/kube/resources.ts";
import { silentLog } from "../../runtime/log.ts";
import { exitOnFailure } from "../../runtime/shutdown.ts";
import { cityOf, CLUSTER_UID } from "../support/cities.ts";
import { createFakeKube, type FakeKube } from "../support/fake-kube.ts";
import { MACHINE, writeResults } from "./output.ts";
import { formatTable, type RoundCost, type RoundRow } from "./round/report.ts";

/**
 * `make bench-round`: what one round of the leading operator costs (gather, decide, describe), in processor time, with an API
 * server in memory: while nothing happens, and when a second's share of the cities has ticked.
 * See docs/benchmarks.md.
 */

const SIZES = [
  { cities: 1_000, workers: 20 },
  { cities: 10_000, workers: 200 },
  { cities: 100_000, workers: 2_000 },
];
/** So many periods of a second until every city has ticked. */
const PERIOD_SECONDS = 30;
const ROUNDS = 20;
const WARM_UP_ROUNDS = 5;
const HEARTBEAT_INTERVAL_MS = 5_000;
const never = new AbortController().signal;

function readSettings() {
  const environment = new EnvironmentReader(process.env);
  const settings = { citiesMax: environment.integer("CITIES", { min: 1_000, max: 100_000 }, 100_000) };
  environment.finish();
  return settings;
}

function workerOf(index: number): string {
  return `worker-${index}`;
}

async function fill(
  kube: FakeKube,
  size: { readonly cities: number; readonly workers: number },
): Promise<void> {
  for (let index = 0; index < size.workers; index++) {
    const worker = workerOf(index);
    const heartbeat = {
      worker,
      pod: worker,
      pool: "default",
      zone: `zone-${index % 3}`,
      version: "1",
      capacity: 100,
      draining: false,
      databaseReachable: true,
      intervalMs: HEARTBEAT_INTERVAL_MS,
      since: "2026-01-01T00:00:00.000000Z",
    };
    const lease = encodeHeartbeat({
      heartbeat,
      namespace: "default",
      podUid: undefined,
      replaces: undefined,
      nowMs: 0,
    });
    await kube.elsewhere.create(LEASES, lease, never);
  }
  for (let index = 0; index < size.cities; index++) {
    const plain = cityOf(`city-${index}`, { period: `${PERIOD_SECONDS}s` }, { finalizers: [SEAL_FINALIZER] });
    const city = await kube.elsewhere.create<City>(CITIES, plain, never);
    const task = taskSpecOf(city, { clusterUid: CLUSTER_UID, epoch: 1n }, 0);
    const worker = workerOf(index % size.workers);
    await kube.elsewhere.create(
      LEASES,
      encodeAssignment({ city, worker, task, replaces: undefined, nowMs: 0 }),
      never,
    );
  }
}

function fenceOf(fleet: Fleet, city: string, tick: bigint): FenceProgress {
  const lease = fleet.leaseOf(city);
  return {
    city,
    epoch: 1n,
    token: parseToken(lease?.metadata.resourceVersion ?? ""),
    holder: lease?.spec?.holderIdentity,
    tick,
    slotMs: Date.now(),
    committedAtMs: Date.now(),
    claimedAtMs: 0,
    changedAtMs: Date.now(),
    dispatcherFailure: undefined,
  };
}

async function measure(size: { readonly cities: number; readonly workers: number }): Promise<RoundRow> {
  const kube = createFakeKube();
  await fill(kube, size);
  const progress = new Progress();
  const fleet = new Fleet({
    client: kube.client,
    clock: systemClock,
    random: Math.random,
    log: silentLog,
    namespace: "default",
    clusterUid: CLUSTER_UID,
    progress,
    onChange: () => undefined,
    onSpecified: () => undefined,
    onCityGone: () => undefined,
    onRewritten: () => undefined,
  });
  const ending = new AbortController();
  const running = fleet.run(ending.signal);
  await fleet.waitSynced(never);
  let described = 0;
  const statuses = new Statuses({
    clock: systemClock,
    writer: {
      want: () => {
        described += 1;
      },
    },
  });
  const read = (cities: readonly number[], tick: bigint, isComplete: boolean): void => {
    const fences = cities.map((index) => fenceOf(fleet, `city-${index}`, tick));
    const nowMs = systemClock.monotonicMs();
    progress.take({ databaseTimeMs: Date.now(), fences, isComplete, startedMs: nowMs, nowMs });
  };
  const round = (): { readonly cpuMs: number; readonly described: number } => {
    described = 0;
    const before = process.cpuUsage();
    const { fleet: view } = fleet.view({
      authority: { kind: "ours", epoch: 1n },
      shedBudget: 4,
      takeoverBudget: 50,
    });
    const decisions = placeCities(view);
    for (const city of view.cities)
      statuses.describe(city, decisions.get(city.name) ?? { kind: "keep" }, view);
    const { user, system } = process.cpuUsage(before);
    return { cpuMs: (user + system) / 1_000, described };
  };
  const rounds = (prepare: (count: number) => void): RoundCost => {
    const costs = Array.from({ length: WARM_UP_ROUNDS + ROUNDS }, (_, count) => {
      prepare(count);
      return round();
    }).slice(WARM_UP_ROUNDS);
    return {
      cpuMs: costs.map(({ cpuMs }) => cpuMs),
      described: Math.max(...costs.map((cost) => cost.described)),
    };
  };
  const everyCity = Array.from({ length: size.cities }, (_, index) => index);
  read(everyCity, 1n, true);
  round();
  const still = rounds(() => read([], 1n, false));
  const ticking = rounds((count) =>
    read(
      everyCity.filter((index) => index % PERIOD_SECONDS === count % PERIOD_SECONDS),
      2n + BigInt(count),
      false,
    ),
  );
  ending.abort(new Error("measured"));
  await running;
  return { ...size, still, ticking };
}

async function main(): Promise<void> {
  const { citiesMax } = readSettings();
  const rows: RoundRow[] = [];
  for (const size of SIZES.filter(({ cities }) => cities <= citiesMax)) {
    rows.push(await measure(size));
    process.stderr.write(`${size.cities}\n`);
  }
  await writeResults("round", { periodSeconds: PERIOD_SECONDS, rows });
  process.stdout.write(
    `\n${MACHINE.cpu}, ${MACHINE.cores} cores, Node ${process.versions.node}\n\n${formatTable(rows, PERIOD_SECONDS)}\n`,
  );
}

exitOnFailure(
  process,
  main().then(() => process.exit(0)),
);
