import { periodMsOf } from "../../crds/city.ts";
import { decodeHeartbeat, workerLeaseName, type Lease } from "../../crds/lease.ts";
import { LEASES } from "../../runtime/kube/resources.ts";
import { NAMESPACE } from "./cluster.ts";
import { missedSlots } from "./slots.ts";
import type { World } from "./world.ts";

/**
 * After the faults: every unsuspended city commits within the bound, moves come to an end, and from then on every slot has
 * its tick, also while a worker is drained.
 *
 * The bound is the longest chain of things that each have a limit of their own, one after the other: a watch that
 * delivers nothing is noticed after its silence limit and its back-off, first by the operator and then by the worker; a
 * leader's Lease runs out; workers are looked at for three heartbeats; the brake holds; a city has the patience that its
 * setbacks have earned it, plus the one that it earns meanwhile; a claim waits for its longest back-off.
 */
export function boundMs(world: World): number {
  const { heartbeatMs } = world.shape;
  const periodMs = longestPeriodMs(world);
  const patienceMs = 2 * Math.max(PATIENCE_MS, STALL_PERIODS * periodMs);
  return 2 * WATCH_MS + LEADER_MS + 3 * heartbeatMs + BRAKE_MS + patienceMs + CLAIM_MS + 2 * periodMs;
}

const NEVER = new AbortController().signal;
const WATCH_MS = 90_000 + 5_000 + 10_000;
const LEADER_MS = 15_000 + 5_000;
const BRAKE_MS = 30_000 + 10_000;
/** The longest that setbacks earn a city whose period is short. */
const PATIENCE_MS = 10 * 60_000;
const STALL_PERIODS = 3;
const CLAIM_MS = 10_000 + 5_000;
const REST_MS = 60_000;
const STEP_MS = 5_000;
/** Longer than a drain may take. */
const DRAIN_MS = 40_000;
/** In calm, as many moves as it takes to put everything in its place again, and no more. */
const MOVES_PER_CITY_MAX = 8;

function longestPeriodMs({ shape }: World): number {
  return Math.max(...shape.periodsMs);
}

/** Without a move or a missed slot for this long, the cluster is at rest. */
function restMs(world: World): number {
  return Math.max(REST_MS, 2 * longestPeriodMs(world));
}

export type Calm = { readonly healedMs: number | undefined };

export async function checkCalm(world: World): Promise<Calm> {
  const { time, chronicle, people } = world;
  world.heal();
  wantAWorker(world);
  await people.restore();
  const sinceMs = time.nowMs;
  const limitMs = boundMs(world);
  const cities = (await people.wanted()).map(({ metadata }) => metadata.name);
  const silent = (): readonly string[] =>
    cities.filter((city) => (chronicle.ticks.get(city)?.at(-1)?.atMs ?? -Infinity) < sinceMs);
  while (silent().length > 0 && time.nowMs - sinceMs < limitMs) await time.runUntil(time.nowMs + STEP_MS);
  if (silent().length > 0) {
    chronicle.violate(`${silent().join(", ")}: no tick within ${limitMs / 1_000} s after the last fault`);
    return { healedMs: undefined };
  }
  const healedMs = Math.max(
    0,
    ...cities.map((city) => chronicle.ticks.get(city)!.find(({ atMs }) => atMs >= sinceMs)!.atMs - sinceMs),
  );
  await checkSettled(world, { sinceMs, limitMs, cities });
  return { healedMs };
}

/** People may have scaled all of them away. */
function wantAWorker({ authority }: World): void {
  if (![...authority.wanted.values()].includes("worker")) authority.want(`${authority.name}-last`, "worker");
}

/** Moves end; from then on no slot is missed, not even by a drain. */
async function checkSettled(
  world: World,
  calm: { readonly sinceMs: number; readonly limitMs: number; readonly cities: readonly string[] },
): Promise<void> {
  const { time, chronicle, people } = world;
  const isSettled = (): boolean => {
    const fromMs = time.nowMs - restMs(world);
    if (fromMs < calm.sinceMs || chronicle.moves.some(({ atMs }) => atMs > fromMs)) return false;
    // Whoever is blind without knowing it finds out by the silence of its watches, and is no good successor until then.
    if (world.processes.some(({ api }) => [...api.streams].some(({ isMuted }) => isMuted))) return false;
    return calm.cities.every(
      (city) => missedSlots(chronicle.ticks.get(city) ?? [], fromMs, time.nowMs) === 0,
    );
  };
  while (!isSettled() && time.nowMs - calm.sinceMs < calm.limitMs + restMs(world)) {
    await time.runUntil(time.nowMs + STEP_MS);
  }
  const moves = chronicle.moves.filter(({ atMs }) => atMs > calm.sinceMs).length;
  if (!isSettled()) {
    chronicle.violate(`the cluster does not come to rest: ${moves} moves since the last fault`);
    return;
  }
  if (moves > MOVES_PER_CITY_MAX * world.shape.cities.length) {
    chronicle.violate(`${moves} moves of ${calm.cities.length} cities after the last fault`);
  }
  for (const city of await people.suspended()) {
    const said = city.status?.conditions?.find(({ type }) => type === "Suspended");
    if (said?.status !== "True") chronicle.violate(`${city.metadata.name} is never said to be Suspended`);
  }
  await checkReach(world);
  await checkDrain(world);
}

/** Every worker says that it reaches the database again: otherwise it would be given no city any more. */
async function checkReach({ chronicle, authority }: World): Promise<void> {
  for (const { process } of authority.pods("worker")) {
    const ref = { namespace: NAMESPACE, name: workerLeaseName(process.name) };
    const lease = await authority.kube.elsewhere.get<Lease>(LEASES, ref, NEVER);
    if (lease !== undefined && decodeHeartbeat(lease).databaseReachable) continue;
    chronicle.violate(`${process.name} does not say that it reaches the database`);
  }
}

/** A worker is drained while others are there: nobody misses a slot. */
async function checkDrain(world: World): Promise<void> {
  const { time, chronicle, people, authority } = world;
  const workers = authority.pods("worker");
  const [first] = workers;
  if (first === undefined || workers.length < 2) return;
  const fromMs = time.nowMs;
  chronicle.note("people", `${first.process.name} is drained`);
  authority.unwant(first.pod);
  await time.runUntil(fromMs + Math.max(DRAIN_MS, 2 * longestPeriodMs(world)));
  for (const { metadata, spec } of await people.wanted()) {
    const missed = missedSlots(chronicle.ticks.get(metadata.name) ?? [], fromMs, time.nowMs);
    if (missed > 0) {
      chronicle.violate(`${metadata.name} (every ${periodMsOf(spec)} ms) missed ${missed} slots in a drain`);
    }
  }
}
