import { basename } from "node:path";
import { CITY_API_VERSION, type CityDispatchSpec } from "../../crds/city.ts";
import { formatDuration } from "../../crds/duration.ts";
import type { MdrpDay } from "../traffic/mdrplib.ts";
import { recordedDispatch } from "../traffic/recorded-day.ts";
import { DEMO_SPEED, SYNTHETIC_DISPATCH } from "../traffic/synthetic-city.ts";
import { scaledDispatch } from "../traffic/time-scale.ts";

/** The Cities that the demo applies with kubectl. */

export type CityManifest = {
  readonly apiVersion: string;
  readonly kind: "City";
  readonly metadata: { readonly name: string };
  readonly spec: { readonly period: string; readonly timeZone: string; readonly dispatch: CityDispatchSpec };
};

const DEMO_CITIES = [
  { name: "madrid", period: "1s", timeZone: "Europe/Madrid" },
  { name: "paris", period: "1s", timeZone: "Europe/Paris" },
  { name: "london", period: "1s", timeZone: "Europe/London" },
  { name: "berlin", period: "2s", timeZone: "Europe/Berlin" },
  { name: "lisbon", period: "2s", timeZone: "Europe/Lisbon" },
] as const;

export function syntheticManifests(): CityManifest[] {
  const dispatch = scaledDispatch(DEMO_SPEED, SYNTHETIC_DISPATCH);
  return DEMO_CITIES.map(({ name, period, timeZone }) => manifest(name, { period, timeZone, dispatch }));
}

/** What `city.yaml` allows as the shortest period. */
const PERIOD_MS_MIN = 200;
const MINUTE_MS = 60_000;

/** The recorded day's city ticks once a minute of the day, as the published results do. */
export function recordedManifest(folder: string, day: MdrpDay, speed: number): CityManifest {
  const period = formatDuration(Math.max(PERIOD_MS_MIN, MINUTE_MS / speed));
  return manifest(recordedCityName(folder), {
    period,
    timeZone: "Etc/UTC",
    dispatch: scaledDispatch(speed, recordedDispatch(day)),
  });
}

/** The folder's name as a City's: lower-case letters, digits and dashes. */
export function recordedCityName(folder: string): string {
  const name = basename(folder)
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .replaceAll(/^-+|-+$/g, "")
    .slice(0, 60);
  return name === "" ? "recorded" : name;
}

function manifest(name: string, spec: CityManifest["spec"]): CityManifest {
  return { apiVersion: CITY_API_VERSION, kind: "City", metadata: { name }, spec };
}
