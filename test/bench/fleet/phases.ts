import { setTimeout as sleep } from "node:timers/promises";
import { LEASES } from "../../../runtime/kube/resources.ts";
import { atRest } from "../../support/rest.ts";
import { citiesByPod, citiesOf, ledgerFigures, recoveries } from "./ledger-figures.ts";
import { usesOf } from "./observe.ts";
import type { RunningFleet } from "./running-fleet.ts";
import { increase, readRequestCounts } from "./usage.ts";

/** What befalls a fleet, one after the other. Milliseconds. */

export type ColdStart = {
  readonly workersUpMs: number;
  readonly claimedMs: number;
  readonly committedMs: number;
  /** For each city, by "verb resource", most first. */
  readonly requests: readonly (readonly [string, number])[];
  /** Processor time for each city, in milliseconds, by process; `workers`: all of them. */
  readonly processorMs: readonly (readonly [string, number])[];
};

export type Loss = {
  readonly workers: number;
  readonly cities: number;
  /** Of every city that the lost workers held, from the kill, smallest first. */
  readonly claimedMs: readonly number[];
  readonly committedMs: readonly number[];
  readonly missedSlots: number;
  readonly moves: number;
};

export type Replacement = {
  readonly workers: number;
  readonly tookMs: number;
  readonly missedSlots: number;
  readonly moves: number;
};

const COLD_LIMIT_MS = 1_200_000;
const LOSS_LIMIT_MS = 120_000;
const REPLACEMENT_LIMIT_MS = 1_200_000;
const REST_POLL_MS = 1_000;
const REST_LIMIT_MS = 300_000;
/** As a Deployment's default maxSurge. */
const SURGE = 0.25;

/** From nothing but Cities to a commit of each. `hosts`: how many workers in each process. */
export async function coldStart(fleet: RunningFleet, hosts: readonly number[]): Promise<ColdStart> {
  const { cities } = fleet.settings;
  const [requestsBefore, usesBefore] = await Promise.all([readRequestCounts(fleet.stack.api), usesOf(fleet)]);
  const startedMs = performance.now();
  const processes = hosts.filter((workers) => workers > 0).map((workers) => fleet.addHost(workers));
  await Promise.all(processes.map(async (host) => host.ready()));
  for (const host of processes) host.start("1");
  fleet.startOperator();
  const workersUpMs = performance.now() - startedMs;
  let claimedMs: number | undefined;
  await fleet.until(COLD_LIMIT_MS, "a commit of every city", async () => {
    const [row] = await fleet.query(
      "SELECT COUNT(*) AS claimed, COUNT(committed_at) AS committed FROM city_fence WHERE holder IS NOT NULL",
    );
    if (Number(row?.["claimed"]) === cities) claimedMs ??= performance.now() - startedMs;
    return Number(row?.["committed"]) === cities;
  });
  const committedMs = performance.now() - startedMs;
  const [requests, uses] = await Promise.all([readRequestCounts(fleet.stack.api), usesOf(fleet)]);
  const processorMs = new Map<string, number>();
  for (const [name, { cpuSeconds }] of uses) {
    const kind = name.startsWith("workers") ? "workers" : name;
    const usedMs = (cpuSeconds - (usesBefore.get(name)?.cpuSeconds ?? 0)) * 1_000;
    processorMs.set(kind, (processorMs.get(kind) ?? 0) + usedMs / cities);
  }
  return {
    workersUpMs,
    claimedMs: claimedMs ?? 0,
    committedMs,
    requests: increase(requestsBefore, requests).map(([request, count]) => [request, count / cities]),
    processorMs: [...processorMs],
  };
}

/** Until nobody is given a city any more. */
export async function rest(fleet: RunningFleet): Promise<void> {
  const claims = (): Promise<number> => fleet.number("SELECT SUM(claims) FROM city_fence");
  await atRest(claims, { limitMs: REST_LIMIT_MS, pollMs: REST_POLL_MS });
}

/** Most and mean of what a worker holds. */
export async function imbalance(fleet: RunningFleet): Promise<number> {
  const held = [...(await citiesByPod(fleet)).values()];
  const workers = fleet.hosts.reduce((sum, { pods }) => sum + pods.length, 0);
  return Math.max(...held) / (held.reduce((sum, cities) => sum + cities, 0) / workers);
}

/** A process with all of its workers is gone at once, and nobody tells: their heartbeats stop. */
export async function loseHost(fleet: RunningFleet, index: number): Promise<Loss> {
  const host = fleet.hosts[index];
  if (host === undefined) throw new Error(`there is no host ${index}`);
  const struck = await citiesOf(fleet, host.pods);
  const sinceMs = await fleet.nowMs();
  await host.kill();
  fleet.hosts = fleet.hosts.filter((other) => other !== host);
  await fleet.until(LOSS_LIMIT_MS + fleet.settings.periodMs, "a commit of every struck city", async () => {
    const { claimedMs, committedMs } = await recoveries(fleet, struck, sinceMs);
    return claimedMs.every((ms) => ms > 0) && committedMs.every((ms) => ms > 0);
  });
  const recovered = await recoveries(fleet, struck, sinceMs);
  await rest(fleet);
  const { missedSlots, moves } = await ledgerFigures(fleet, { sinceMs, untilMs: await fleet.nowMs() });
  return { workers: host.pods.length, cities: struck.length, ...recovered, missedSlots, moves };
}

/** Every worker by one of a newer version, a quarter of them at a time, as a Deployment does it. */
export async function replaceAll(fleet: RunningFleet): Promise<Replacement> {
  const former = [...fleet.hosts];
  const leaving = former.flatMap((host) => host.pods.map((pod) => ({ host, pod })));
  const surge = Math.max(1, Math.ceil(leaving.length * SURGE));
  const sinceMs = await fleet.nowMs();
  const startedMs = performance.now();
  const successor = fleet.addHost(leaving.length);
  await successor.ready();
  for (let first = 0; first < leaving.length; first += surge) {
    const batch = leaving.slice(first, first + surge);
    successor.start("2", successor.pods.slice(first, first + batch.length));
    await fleet.until(REPLACEMENT_LIMIT_MS, "the next workers", async () =>
      registered(fleet, successor.pods.slice(first, first + batch.length)),
    );
    for (const [host, of] of Map.groupBy(batch, ({ host }) => host)) host.drain(of.map(({ pod }) => pod));
    const left = leaving.length - first - batch.length;
    await fleet.until(
      REPLACEMENT_LIMIT_MS,
      "the drain",
      async () => former.reduce((sum, host) => sum + host.left, 0) <= left,
    );
  }
  const tookMs = performance.now() - startedMs;
  await Promise.all(former.map(async (host) => host.kill()));
  fleet.hosts = [successor];
  await sleep(fleet.settings.periodMs);
  const { missedSlots, moves } = await ledgerFigures(fleet, { sinceMs, untilMs: await fleet.nowMs() });
  return { workers: leaving.length, tookMs, missedSlots, moves };
}

async function registered(fleet: RunningFleet, pods: readonly string[]): Promise<boolean> {
  const { items } = await fleet.kube.list(
    LEASES,
    { namespace: "default", labelSelector: "dispatch.city/component=worker" },
    AbortSignal.timeout(10_000),
  );
  const present = new Set(items.map(({ metadata }) => metadata.labels?.["dispatch.city/pod"]));
  return pods.every((pod) => present.has(pod));
}
