import { placeCities, type AssignReason, type Decision, type WaitReason } from "../operator/cities/place.ts";
import { SHED_BURST, SHEDS_PER_SECOND, TAKEOVERS_PER_SECOND } from "../operator/cities/budgets.ts";
import { setbacksAfter } from "../operator/cities/setbacks.ts";
import type { CityView, FleetView } from "../operator/cities/view.ts";
import { recentLosses } from "../operator/workers/losses.ts";
import type { WorkerView } from "../operator/workers/roster.ts";
import type { FencingToken } from "../crds/token.ts";

/**
 * What the operator would do: its own `placeCities`, asked second by second, with every answer carried out on the view. Whoever
 * gets a city is taken to tick it at once, and whoever is gone to stay away. Pure.
 */

/** What is supposed to happen, all at once. */
export type Supposition = {
  /** Ids of workers that die. */
  readonly lost: readonly string[];
  /** Ids of workers that are drained. */
  readonly drained: readonly string[];
  readonly joined: readonly WorkerView[];
};

export type Move = {
  readonly city: string;
  readonly from: string | undefined;
  readonly to: string;
  readonly because: AssignReason;
  readonly afterSeconds: number;
};

export type Plan = {
  readonly moves: readonly Move[];
  /** What cannot be done in the end. */
  readonly waits: readonly { readonly city: string; readonly because: WaitReason }[];
  /** At the end. */
  readonly after: FleetView;
};

/** Longer than any brake, cool-down or window of the operator, so that nothing more comes after it. */
const QUIET_SECONDS = 45;
const SECONDS_MAX = 3_600;

export function suppose(view: FleetView, { lost, drained, joined }: Supposition): FleetView {
  const workers = new Map(view.workers);
  for (const id of lost) change(workers, id, "gone");
  for (const id of drained) change(workers, id, "draining");
  for (const worker of joined) workers.set(worker.id, worker);
  const { cities, lostMs: before, nowMs } = view;
  return { ...view, workers, lostMs: recentLosses({ cities, workers, before, nowMs }) };
}

function change(workers: Map<string, WorkerView>, id: string, liveness: WorkerView["liveness"]): void {
  const worker = workers.get(id);
  if (worker !== undefined) workers.set(id, { ...worker, liveness });
}

/** Workers like the youngest of the pool, in the zones that have the fewest. */
export function newcomers(view: FleetView, pool: string, count: number): readonly WorkerView[] {
  const peers = [...view.workers.values()]
    .filter((worker) => worker.pool === pool && worker.liveness !== "gone")
    .toSorted((left, right) => (left.bornAt < right.bornAt ? 1 : -1));
  const [youngest] = peers;
  const zones = new Map<string, number>();
  for (const { zone } of peers) zones.set(zone, (zones.get(zone) ?? 0) + 1);
  return Array.from({ length: count }, (_, index) => {
    const [zone = "unknown", inZone = 0] = [...zones].toSorted((left, right) => left[1] - right[1])[0] ?? [];
    zones.set(zone, inZone + 1);
    return {
      id: `new-${index + 1}`,
      pod: `new-${index + 1}`,
      pool,
      zone,
      capacity: youngest?.capacity ?? 100,
      version: youngest?.version ?? "",
      bornAt: new Date(view.nowMs).toISOString(),
      isDatabaseReachable: true,
      liveness: "live",
    };
  });
}

export function forecast(start: FleetView): Plan {
  const moves: Move[] = [];
  let view = start;
  let decisions: ReadonlyMap<string, Decision> = new Map();
  let sheds = SHED_BURST;
  let quiet = 0;
  for (let second = 0; quiet < QUIET_SECONDS && second < SECONDS_MAX; second += 1) {
    view = { ...goOn(view, start.nowMs + second * 1_000), shedBudget: sheds };
    decisions = placeCities(view);
    const made = movesOf(view, decisions, second);
    moves.push(...made);
    const shed = made.filter(({ because }) => because === "balance").length;
    sheds = Math.min(SHED_BURST, sheds - shed + SHEDS_PER_SECOND);
    quiet = [...decisions.values()].some(isAct) ? 0 : quiet + 1;
    view = carryOut(view, decisions);
  }
  const waits = [...decisions].flatMap(([city, decision]) =>
    decision.kind === "wait" ? [{ city, because: decision.because }] : [],
  );
  return { moves, waits, after: view };
}

function isAct({ kind }: Decision): boolean {
  return kind !== "keep" && kind !== "wait";
}

function movesOf(view: FleetView, decisions: ReadonlyMap<string, Decision>, second: number): Move[] {
  return view.cities.flatMap(({ name, lease }) => {
    const decision = decisions.get(name);
    if (decision?.kind !== "assign" || decision.because === "spec-changed") return [];
    const { worker: to, because } = decision;
    return [{ city: name, from: lease?.worker, to, because, afterSeconds: second }];
  });
}

/** A second later: who was ticking has ticked. */
function goOn(view: FleetView, nowMs: number): FleetView {
  const cities = view.cities.map((city) => {
    const holder = view.workers.get(city.lease?.worker ?? "");
    if (city.fence === undefined || holder === undefined || holder.liveness === "gone") return city;
    return { ...city, fence: { ...city.fence, committedAtMs: nowMs, advancedMs: nowMs } };
  });
  const lostMs = recentLosses({ cities, workers: view.workers, before: view.lostMs, nowMs });
  return { ...view, nowMs, cities, lostMs, takeoverBudget: TAKEOVERS_PER_SECOND };
}

function carryOut(view: FleetView, decisions: ReadonlyMap<string, Decision>): FleetView {
  const cities = view.cities.flatMap((city) => {
    const decision = decisions.get(city.name) ?? { kind: "keep" };
    switch (decision.kind) {
      case "keep":
      case "wait":
        return [city];
      case "adopt":
        return [{ ...city, hasFinalizer: true }];
      case "assign":
        return [assigned(city, decision, view)];
      case "unassign":
        return [released(city)];
      case "seal":
        return [{ ...city, fence: fenceAt(city, view) }];
      case "remove":
        return [];
      default:
        return decision satisfies never;
    }
  });
  return { ...view, cities };
}

function assigned(
  city: CityView,
  { worker, because }: { readonly worker: string; readonly because: AssignReason },
  view: FleetView,
): CityView {
  const next: CityView = {
    ...city,
    lease: {
      ...leaseAfter(city, worker),
      ...setbacksAfter(city, because),
      because,
    },
    assignedMs: view.nowMs,
    movedMs: because === "spec-changed" ? city.movedMs : view.nowMs,
  };
  return { ...next, fence: fenceAt(next, view) };
}

function released(city: CityView): CityView {
  return { ...city, lease: { ...leaseAfter(city, undefined), setbacks: 0, deaths: 0, because: undefined } };
}

function leaseAfter(city: CityView, worker: string | undefined) {
  const token = ((city.lease?.token ?? 0n) + 1n) as FencingToken;
  return { worker, token, task: city.task, cityUid: city.city.metadata.uid, since: city.lease?.since };
}

/** As the present holder, or the seal, leaves it. */
function fenceAt(city: CityView, view: FleetView): CityView["fence"] {
  const token = city.lease?.token;
  if (token === undefined || view.authority.kind !== "ours") return city.fence;
  return {
    epoch: view.authority.epoch,
    token,
    holder: city.lease?.worker,
    tick: (city.fence?.tick ?? 0n) + 1n,
    slotMs: view.nowMs,
    claimedAtMs: view.nowMs,
    committedAtMs: view.nowMs,
    advancedMs: view.nowMs,
    dispatcherFailure: undefined,
  };
}
