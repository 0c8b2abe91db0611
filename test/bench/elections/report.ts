import { isWrite } from "../fleet/usage.ts";
import { quantile } from "../gaps/measure.ts";

export type ElectionRun = {
  readonly timing: string;
  readonly cities: number;
  /** Per second, of Leases only: the leaders' own writes are not counted. */
  readonly requests: readonly (readonly [string, number])[];
  /** From the kill to the next leader, of each city, smallest first. */
  readonly killedMs: readonly number[];
  readonly releasedMs: readonly number[];
  /** Writes that a deposed leader made with success after its thaw, the Lease naming its successor. */
  readonly writesOfDeposed: number;
};

export function leaseWritesPerSecond({ requests }: Pick<ElectionRun, "requests">): number {
  return requests.reduce((sum, [request, rate]) => sum + (isWrite(request) ? rate : 0), 0);
}

/** A Markdown table, one line per setting. Pure. */
export function formatTable(rows: readonly ElectionRun[]): string {
  const head = [
    "client-go elections",
    "cities",
    "Lease writes/s",
    "Lease reads/s",
    "killed → next leader, median, max",
    "released → next leader, median, max",
    "writes of a deposed leader that went through",
  ];
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  const times = (sorted: readonly number[]): string =>
    `${(quantile(sorted, 0.5) / 1_000).toFixed(1)} s, ${(quantile(sorted, 1) / 1_000).toFixed(1)} s`;
  return [
    line(head),
    line(head.map(() => "---")),
    ...rows.map((row) => {
      const all = row.requests.reduce((sum, [, rate]) => sum + rate, 0);
      const writes = leaseWritesPerSecond(row);
      return line([
        row.timing,
        String(row.cities),
        writes.toFixed(1),
        (all - writes).toFixed(1),
        times(row.killedMs),
        times(row.releasedMs),
        String(row.writesOfDeposed),
      ]);
    }),
  ].join("\n");
}
