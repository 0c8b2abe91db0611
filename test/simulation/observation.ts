import type { Log } from "../../runtime/log.ts";
import { createOperatorMetrics } from "../../operator/metrics.ts";
import type { Metrics } from "../../runtime/metrics.ts";
import { createWorkerMetrics } from "../../worker/metrics.ts";
import type { Chronicle } from "./chronicle.ts";
import { silentLog } from "../../runtime/log.ts";

/** What production code writes for people: its log becomes part of the story, its metrics go nowhere. */

const NOWHERE: Omit<Metrics, "registry" | "descriptions"> = {
  countBy: () => () => undefined,
  counter: () => () => undefined,
  gauge: () => () => undefined,
  gaugeBy: () => () => undefined,
  reading: () => () => undefined,
  readingsBy: () => () => undefined,
  histogram: () => () => undefined,
  histogramBy: () => () => undefined,
};

export const operatorMetrics = createOperatorMetrics(NOWHERE as Metrics);
export const workerMetrics = createWorkerMetrics(NOWHERE as Metrics);

export function logOf(chronicle: Chronicle, process: string): Log {
  if (!chronicle.isTold) return silentLog;
  const write = (level: string) => (fields: object, message: string) => {
    const said = Object.entries(fields)
      .filter(([, value]) => value !== undefined)
      .map(([key, value]) => `${key}=${Error.isError(value) ? value.message : String(value)}`)
      .join(" ");
    chronicle.tell(process, `${level === "info" ? "" : `[${level}] `}${message} ${said}`);
  };
  const log = {
    debug: () => undefined,
    info: write("info"),
    warn: write("warn"),
    error: write("error"),
    child: () => log,
  };
  return log as unknown as Log;
}
