import { quantile } from "../gaps/measure.ts";
import type { Run } from "./methods.ts";

/** All runs on one instance, in the order of their seeds where there is one for each. */
export type Measured = {
  readonly instance: string;
  readonly seeds: readonly number[];
  readonly dispatch: readonly Run[];
  readonly matching: readonly Run[];
  readonly nearest: readonly Run[];
  /** Empty where it would take too long. */
  readonly oracle: readonly Run[];
};

/** What is promised of an instance. */
export type Target = {
  readonly instance: string;
  readonly of: "dispatch" | "matching";
  readonly p99Ms?: number;
  /** Share of the cost. */
  readonly provenGapMax?: number;
};

export const TARGETS: readonly Target[] = [
  { instance: "2000x10000 clustered", of: "matching", p99Ms: 100 },
  { instance: "2000x10000 clustered", of: "dispatch", p99Ms: 100 },
  { instance: "2000x2000 tight", of: "matching", provenGapMax: 0.005 },
];

const COLUMNS = [
  "orders x couriers",
  "dispatch p50",
  "p99",
  "degraded",
  "matching p50",
  "p99",
  "degraded",
  "proven gap",
  "above dense optimum",
  "dense p50",
  "nearest above matching",
];

/** A Markdown table, one line per instance. Times in milliseconds, gaps the worst of all runs. Pure. */
export function formatTable(rows: readonly Measured[]): string {
  const lines = rows.map(({ instance, dispatch, matching, nearest, oracle }) => [
    instance,
    timeText(dispatch, 0.5),
    timeText(dispatch, 0.99),
    percent(degradedShare(dispatch), 0),
    timeText(matching, 0.5),
    timeText(matching, 0.99),
    percent(degradedShare(matching), 0),
    percent(provenGap(matching), 2),
    oracle.length === 0 ? "" : percent(excessOver(matching, oracle), 2),
    oracle.length === 0 ? "" : timeText(oracle, 0.5),
    percent(excessOver(nearest, matching), 0),
  ]);
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  return [line(COLUMNS), line(COLUMNS.map(() => "---")), ...lines.map(line)].join("\n");
}

/** The targets that were missed, as sentences; those of instances that were not measured say nothing. Pure. */
export function missedTargets(rows: readonly Measured[], targets: readonly Target[]): readonly string[] {
  return targets.flatMap(({ instance, of, p99Ms = Infinity, provenGapMax }) => {
    const row = rows.find((measured) => measured.instance === instance);
    if (row === undefined) return [];
    const p99 = timeQuantile(row[of], 0.99);
    const gap = provenGap(row[of]);
    const missed: string[] = [];
    if (!(p99 <= p99Ms))
      missed.push(`${instance}: p99 of the ${of} is ${p99.toFixed(0)} ms, not ${p99Ms} ms`);
    if (provenGapMax !== undefined && !(gap <= provenGapMax)) {
      missed.push(
        `${instance}: proven gap of the ${of} is ${percent(gap, 2)}, not ${percent(provenGapMax, 2)}`,
      );
    }
    return missed;
  });
}

function provenGap(runs: readonly Run[]): number {
  return Math.max(...runs.map(({ cost = Number.NaN, gap = Infinity }) => gap / cost));
}

/** The worst of what `runs` cost above `others`; both list the same seeds again and again. */
function excessOver(runs: readonly Run[], others: readonly Run[]): number {
  return Math.max(
    ...runs.slice(0, others.length).map(({ cost = Number.NaN }, index) => {
      const other = others[index]?.cost ?? Number.NaN;
      return (cost - other) / other;
    }),
  );
}

function degradedShare(runs: readonly Run[]): number {
  return runs.filter(({ isDegraded }) => isDegraded).length / runs.length;
}

function timeQuantile(runs: readonly Run[], share: number): number {
  return quantile(
    runs.map(({ tookMs }) => tookMs).toSorted((a, b) => a - b),
    share,
  );
}

function timeText(runs: readonly Run[], share: number): string {
  return timeQuantile(runs, share).toFixed(0);
}

function percent(share: number, digits: number): string {
  return `${(100 * share).toFixed(digits)} %`;
}
