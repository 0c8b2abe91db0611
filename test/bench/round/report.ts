import { quantile } from "../gaps/measure.ts";

export type RoundCost = {
  /** Of each round. */
  readonly cpuMs: readonly number[];
  /** Statuses that were described in the fullest round. */
  readonly described: number;
};

export type RoundRow = {
  readonly cities: number;
  readonly workers: number;
  readonly still: RoundCost;
  readonly ticking: RoundCost;
};

/** A Markdown table. Pure. */
export function formatTable(rows: readonly RoundRow[], periodSeconds: number): string {
  const cell = ({ cpuMs, described }: RoundCost): string =>
    `${median(cpuMs).toFixed(1)} ms, ${described} described`;
  return [
    `| cities × workers | a round while nothing happens | a round after a second of ticks, every ${periodSeconds} s |`,
    "| --- | --- | --- |",
    ...rows.map(
      ({ cities, workers, still, ticking }) =>
        `| ${cities.toLocaleString("en")} × ${workers.toLocaleString("en")} | ${cell(still)} | ${cell(ticking)} |`,
    ),
  ].join("\n");
}

/** Milliseconds of processor time for the median round. */
export function median(values: readonly number[]): number {
  return quantile(
    values.toSorted((left, right) => left - right),
    0.5,
  );
}
