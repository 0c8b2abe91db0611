import type { CityTile } from "./picture.ts";

/** How a city is, for the eye: by the age of its last commit relative to its period. Pure. */

export const LEVELS = ["on-time", "behind", "late", "stalled", "waiting", "unheld", "suspended"] as const;

export type Level = (typeof LEVELS)[number];

export type Health = {
  readonly level: Level;
  /** Since the last commit; undefined: there is none. */
  readonly ageMs: number | undefined;
};

/** Commits are read once a second and travel once a second: so much of an age is ours. */
export const SIGHT_MS = 2_000;
const ON_TIME_PERIODS = 1;
const BEHIND_PERIODS = 2;

export const LEVEL_WORDS: Readonly<Record<Level, string>> = {
  "on-time": "on time",
  behind: "a slot behind",
  late: "late",
  stalled: "stalled",
  waiting: "waiting for its first tick",
  unheld: "held by nobody",
  suspended: "suspended",
};

/** The worst first: what a person should look at. */
const URGENCY: readonly Level[] = ["stalled", "unheld", "late", "waiting", "behind", "suspended", "on-time"];

export type Timed = Pick<CityTile, "worker" | "periodMs" | "stallAfterMs" | "committedAtMs" | "isSuspended">;

export function healthOf(city: Timed, nowMs: number): Health {
  const ageMs = city.committedAtMs === null ? undefined : Math.max(0, nowMs - city.committedAtMs);
  if (city.isSuspended) return { level: "suspended", ageMs };
  if (city.worker === null) return { level: "unheld", ageMs };
  if (ageMs === undefined) return { level: "waiting", ageMs };
  const overdueMs = ageMs - SIGHT_MS;
  if (overdueMs >= city.stallAfterMs) return { level: "stalled", ageMs };
  if (overdueMs >= BEHIND_PERIODS * city.periodMs) return { level: "late", ageMs };
  if (overdueMs >= ON_TIME_PERIODS * city.periodMs) return { level: "behind", ageMs };
  return { level: "on-time", ageMs };
}

export function isTroubled(level: Level): boolean {
  return level === "stalled" || level === "late" || level === "unheld";
}

export function urgencyOf(level: Level): number {
  return URGENCY.indexOf(level);
}

/** "0.4 s", "12 s", "3 min", "5 h", "2 d". */
export function sayAge(ageMs: number | undefined): string {
  if (ageMs === undefined) return "never";
  if (ageMs < 10_000) return `${(Math.max(0, ageMs) / 1_000).toFixed(1)} s`;
  if (ageMs < 120_000) return `${Math.round(ageMs / 1_000)} s`;
  if (ageMs < 7_200_000) return `${Math.round(ageMs / 60_000)} min`;
  if (ageMs < 172_800_000) return `${Math.round(ageMs / 3_600_000)} h`;
  return `${Math.round(ageMs / 86_400_000)} d`;
}

/** "13:05:09" in UTC, as logs and events have it. */
export function sayTime(timeMs: number): string {
  return new Date(timeMs).toISOString().slice(11, 19);
}

/** A worker id is its Pod's name and a random end: the Pod's name is what people know. */
export function sayWorker(worker: string | null): string {
  return worker === null ? "nobody" : worker.replace(/-[0-9a-f]{6,}$/, "");
}
