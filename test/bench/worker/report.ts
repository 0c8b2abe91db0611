import type { Observation } from "../fleet/observe.ts";
import { quantile } from "../gaps/measure.ts";

export type WorkerRun = {
  readonly settings: { readonly cities: number; readonly periodMs: number };
  /** Resident bytes of a worker's process before it has any city. */
  readonly idleBytes: number;
  readonly alone: Observation;
  /** With dispatch threads that are never idle. */
  readonly saturated: Observation;
};

/** A Markdown table. Pure. */
export function formatTable({ settings, idleBytes, alone, saturated }: WorkerRun): string {
  const both = (what: (observation: Observation) => string): string => `${what(alone)} | ${what(saturated)}`;
  const spread = (sorted: readonly number[]): string =>
    [0.5, 0.99, 1].map((share) => `${quantile(sorted, share).toFixed(1)} ms`).join(", ");
  const worker = (observation: Observation) => observation.processes["workers 1"];
  const perCity = ((worker(alone)?.residentBytes ?? 0) - idleBytes) / settings.cities / 1_024;
  return [
    `| one worker, ${settings.cities} cities every ${settings.periodMs / 1_000} s | dispatch threads idle | dispatch threads saturated |`,
    "| --- | --- | --- |",
    `| ticks | ${both(({ ticks }) => String(ticks))} |`,
    `| missed slots | ${both(({ missedSlots }) => String(missedSlots))} |`,
    `| tick start lateness p50, p99, max | ${both(({ latenessMs }) => spread(latenessMs))} |`,
    `| from heartbeat to heartbeat p50, p99, max | ${both(({ heartbeatGapsMs }) => spread(heartbeatGapsMs))} |`,
    `| event-loop delay p50, p99, max | ${both(({ loopDelayMs: { p50, p99, max } }) => [p50, p99, max].map((ms) => `${ms.toFixed(1)} ms`).join(", "))} |`,
    `| dispatches of a large city beside | ${both(({ dispatches }) => String(dispatches))} |`,
    `| worker, all threads | ${both((observation) => `${((worker(observation)?.cores ?? 0) * 100).toFixed(0)} % of a core, ${((worker(observation)?.residentBytes ?? 0) / 1_048_576).toFixed(0)} MiB`)} |`,
    `| resident memory per city | ${perCity.toFixed(0)} KiB | |`,
  ].join("\n");
}
