import type { City } from "../crds/city.ts";
import { isInForce } from "../crds/mitigations.ts";
import { loadsOf } from "../operator/cities/loads.ts";
import type { FleetView } from "../operator/cities/view.ts";
import { conditionOf, fleetViewOf, type Picture } from "./picture.ts";
import { shortNames, sinceText, table } from "./text.ts";

/** The fleet on one page: what is wrong comes first. Pure. */

/** `citiesMax`: how many cities have room. */
export function topLines(picture: Picture, citiesMax: number): string[] {
  const view = fleetViewOf(picture);
  const cities = picture.cities.toSorted(
    (left, right) => rank(left) - rank(right) || (left.metadata.name < right.metadata.name ? -1 : 1),
  );
  const short = shortNames([...view.workers.keys()]);
  const rows = cities.slice(0, citiesMax).map((city) => cityRow(city, short, picture.nowMs));
  const hidden = cities.length - rows.length;
  return [
    summary(cities, view),
    "",
    ...table(["CITY", "READY", "REASON", "WORKER", "TICK", "COMMIT", "MOVED", "BECAUSE", "FOR NOW"], rows),
    ...(hidden === 0 ? [] : [`… and ${hidden} more that are well or in less need`]),
    "",
    ...table(
      ["WORKER", "STATE", "CITIES", "LOAD", "POOL", "ZONE", "VERSION", "DATABASE"],
      workerRows(view, short),
    ),
  ];
}

/** 0: in trouble, 1: suspended, 2: ready but for something, 3: ready. */
function rank(city: City): number {
  if (conditionOf(city, "Ready")?.status === "True") return reservation(city) === undefined ? 3 : 2;
  return conditionOf(city, "Suspended")?.status === "True" ? 1 : 0;
}

/** What is not as one wishes of a city that is ready all the same: it has no successor, say. */
function reservation(city: City): string | undefined {
  const reason = conditionOf(city, "Assigned")?.reason;
  return reason === undefined || reason === "Assigned" ? undefined : reason;
}

function summary(cities: readonly City[], { workers }: FleetView): string {
  const ready = cities.filter((city) => rank(city) >= 2).length;
  const suspended = cities.filter((city) => rank(city) === 1).length;
  const trouble = cities.length - ready - suspended;
  const live = [...workers.values()].filter(({ liveness }) => liveness === "live").length;
  return [
    `${cities.length} cities: ${ready} ready`,
    ...(suspended === 0 ? [] : [`${suspended} suspended`]),
    trouble === 0 ? "none in trouble" : `${trouble} IN TROUBLE`,
    `${live} of ${workers.size} workers live`,
  ].join(", ");
}

function cityRow(city: City, short: (id: string) => string, nowMs: number): string[] {
  const { assignment, progress } = city.status ?? {};
  const ready = conditionOf(city, "Ready");
  return [
    city.metadata.name,
    ready?.status ?? "Unknown",
    (rank(city) === 2 ? reservation(city) : ready?.reason) ?? "-",
    assignment === undefined ? "-" : short(assignment.worker),
    String(progress?.tick ?? "-"),
    sinceText(progress?.committedAt, nowMs),
    sinceText(assignment?.since, nowMs),
    assignment?.because ?? "-",
    mitigations(city, nowMs),
  ];
}

/** What a person ordered for now, in a word each. */
function mitigations({ spec }: City, nowMs: number): string {
  const { pin, dispatcherOverride, suspend } = spec;
  return [
    ...(suspend ? ["suspended"] : []),
    ...(pin !== undefined && isInForce(pin, nowMs) ? ["pinned"] : []),
    ...(dispatcherOverride !== undefined && isInForce(dispatcherOverride, nowMs)
      ? [dispatcherOverride.dispatcher]
      : []),
  ].join(", ");
}

function workerRows(view: FleetView, short: (id: string) => string): string[][] {
  const loads = loadsOf(view);
  const held = new Map<string, number>();
  for (const { lease } of view.cities) {
    if (lease?.worker !== undefined) held.set(lease.worker, (held.get(lease.worker) ?? 0) + 1);
  }
  return [...view.workers.values()]
    .toSorted((left, right) => (left.id < right.id ? -1 : 1))
    .map((worker) => [
      short(worker.id),
      worker.liveness,
      String(held.get(worker.id) ?? 0),
      `${Math.round(loads.of(worker) * 100)}%`,
      worker.pool,
      worker.zone,
      worker.version,
      worker.isDatabaseReachable ? "reachable" : "UNREACHABLE",
    ]);
}
