import type { Database } from "../../db/pool.ts";
import { readProgress } from "../../db/progress.ts";
import type { Kubectl } from "../control-plane/kubectl.ts";
import { readCityTraffic } from "../traffic/city-view.ts";
import { parseTable, type FleetPicture } from "./view.ts";

/** Gathers what the demo shows: from kubectl what a person would see, from MySQL what the company's services would. */

const EVENTS_SHOWN = 8;
const READ_LIMIT_MS = 5_000;

export async function gatherFleet(input: {
  readonly kubectl: Kubectl;
  readonly database: Database;
  readonly elapsedSeconds: number;
}): Promise<FleetPicture> {
  const signal = AbortSignal.timeout(READ_LIMIT_MS);
  const [cities, events, progress, traffic] = await Promise.all([
    input.kubectl(["get", "cities"]),
    recentEvents(input.kubectl),
    readProgress(input.database, undefined, signal).catch(() => undefined),
    readCityTraffic(input.database, signal).catch(() => []),
  ]);
  const { headings, rows } = parseTable(cities.stdout);
  return {
    headings,
    events,
    elapsedSeconds: input.elapsedSeconds,
    cities: rows.map((columns) => {
      const city = columns[0];
      const fence = progress?.fences.find((candidate) => candidate.city === city);
      const orders = traffic.find((candidate) => candidate.city === city);
      return {
        columns,
        openOrders: orders?.openOrders,
        oldestUnassignedSeconds: orders?.oldestUnassignedSeconds,
        lastTickAgeSeconds:
          fence?.committedAtMs === undefined || progress === undefined
            ? undefined
            : Math.max(0, progress.databaseTimeMs - fence.committedAtMs) / 1_000,
        delivered: orders?.delivered,
      };
    }),
  };
}

type EventItem = {
  readonly eventTime?: string;
  readonly series?: { readonly lastObservedTime?: string };
  readonly reason?: string;
  readonly note?: string;
  readonly regarding?: { readonly name?: string };
};

/** The newest events of the fleet, one line each, oldest first. */
async function recentEvents(kubectl: Kubectl): Promise<string[]> {
  const { stdout, code } = await kubectl(["get", "events.events.k8s.io", "-o", "json"]);
  if (code !== 0) return [];
  const { items } = JSON.parse(stdout) as { readonly items: readonly EventItem[] };
  const timeOf = (event: EventItem): string => event.series?.lastObservedTime ?? event.eventTime ?? "";
  return items
    .toSorted((left, right) => (timeOf(left) < timeOf(right) ? -1 : 1))
    .slice(-EVENTS_SHOWN)
    .map((event) => {
      const time = timeOf(event).slice(11, 19);
      return `${time}  ${event.regarding?.name ?? ""}  ${event.reason ?? ""}  ${event.note ?? ""}`;
    });
}
