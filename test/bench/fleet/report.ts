import { quantile } from "../gaps/measure.ts";
import type { Observation } from "./observe.ts";
import type { ColdStart, Loss, Replacement } from "./phases.ts";
import type { FleetSettings } from "./running-fleet.ts";
import { isWrite } from "./usage.ts";

export type FleetRun = {
  readonly settings: FleetSettings;
  readonly cold: ColdStart;
  /** The most that a worker holds over the mean, before anybody is lost. */
  readonly imbalance: number;
  readonly steady: Observation;
  readonly losses: readonly Loss[];
  readonly replacement: Replacement;
};

/** What is asked for by fewer cities than this share is no part of what a city costs. */
const SHOWN_REQUESTS_MIN = 0.1;

/** The run as Markdown. Pure. */
export function formatRun(run: FleetRun): string {
  const { settings, steady } = run;
  const lines = [
    `${settings.cities} cities, ${settings.workers} workers, period ${settings.periodMs / 1_000} s, heartbeats every ${settings.heartbeatIntervalMs / 1_000} s`,
    "",
    "| what | measured |",
    "| --- | --- |",
    ...rowsOf(run).map(([what, measured]) => `| ${what} | ${measured} |`),
    "",
    "| requests to the API server, steady | per second |",
    "| --- | --- |",
    ...steady.requests.map(([request, rate]) => `| ${request} | ${rate.toFixed(2)} |`),
  ];
  return lines.join("\n");
}

export function writesPerSecond({ requests }: Pick<Observation, "requests">): number {
  return requests.reduce((sum, [request, rate]) => sum + (isWrite(request) ? rate : 0), 0);
}

function rowsOf(run: FleetRun): readonly (readonly [string, string])[] {
  const { cold, steady, losses, replacement } = run;
  return [
    ["cold start: last claim, last commit", `${seconds(cold.claimedMs)}, ${seconds(cold.committedMs)}`],
    [
      "cold start, requests for each city",
      cold.requests
        .filter(([, count]) => count >= SHOWN_REQUESTS_MIN)
        .map(([request, count]) => `${count.toFixed(1)} ${request}`)
        .join(", "),
    ],
    [
      "cold start, processor time for each city",
      cold.processorMs.map(([name, ms]) => `${name} ${ms.toFixed(1)} ms`).join(", "),
    ],
    ["most cities on a worker ÷ mean", run.imbalance.toFixed(2)],
    ["steady state", `${steady.seconds.toFixed(0)} s, ${steady.ticks} ticks`],
    ["API writes", `${writesPerSecond(steady).toFixed(1)}/s`],
    ...Object.entries(steady.processes).map(
      ([name, { cores, residentBytes }]) =>
        [
          name,
          `${(cores * 100).toFixed(1)} % of a core, ${(residentBytes / 1_048_576).toFixed(0)} MiB`,
        ] as const,
    ),
    [
      "MySQL",
      `${steady.mysql.questions.toFixed(0)} statements/s, ${steady.mysql.commits.toFixed(0)} commits/s`,
    ],
    [
      "tick start lateness p50, p99, max",
      [0.5, 0.99, 1].map((share) => `${quantile(steady.latenessMs, share).toFixed(1)} ms`).join(", "),
    ],
    ["missed slots, moves", `${steady.missedSlots}, ${steady.moves}`],
    ...losses.map(
      (loss) =>
        [
          `loss of ${loss.workers} (${loss.cities} cities): last claim, last commit`,
          `${seconds(quantile(loss.claimedMs, 1))}, ${seconds(quantile(loss.committedMs, 1))}; ${loss.moves} moves, ${loss.missedSlots} missed slots`,
        ] as const,
    ),
    [
      `replacement of ${replacement.workers} workers`,
      `${seconds(replacement.tookMs)}; ${replacement.moves} moves, ${replacement.missedSlots} missed slots`,
    ],
  ];
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}
