/** What one means of watching cost. */
export type Watched = {
  readonly means: string;
  /** To the first complete copy, from the start of the process. */
  readonly listedMs: number;
  readonly listCpuSeconds: number;
  /** The longest time for which the event loop stood still. */
  readonly listStallMs: number;
  /** From the first of the changes to the last one being seen. */
  readonly stormMs: number;
  readonly stormCpuSeconds: number;
  readonly stormStallMs: number;
  readonly residentBytes: number;
  /** Whether changes after a connection reset were seen, within the limit. */
  readonly survivedCut: boolean;
};

export type ReflectorRun = {
  readonly leases: number;
  readonly changes: number;
  readonly cutLimitMs: number;
  readonly rows: readonly Watched[];
};

/** A Markdown table. Pure. */
export function formatTable({ leases, changes, cutLimitMs, rows }: ReflectorRun): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  const row = (what: string, value: (watched: Watched) => string): string => line([what, ...rows.map(value)]);
  return [
    line([`${leases.toLocaleString("en")} Leases`, ...rows.map(({ means }) => means)]),
    line(["---", ...rows.map(() => "---")]),
    row("first complete copy after", ({ listedMs }) => `${listedMs.toFixed(0)} ms`),
    row("processor time until then", ({ listCpuSeconds }) => `${listCpuSeconds.toFixed(2)} s`),
    row("longest stall of the event loop", ({ listStallMs }) => `${listStallMs.toFixed(0)} ms`),
    row(`${changes.toLocaleString("en")} changes seen after`, ({ stormMs }) => `${stormMs.toFixed(0)} ms`),
    row("processor time for them", ({ stormCpuSeconds }) => `${stormCpuSeconds.toFixed(2)} s`),
    row("longest stall", ({ stormStallMs }) => `${stormStallMs.toFixed(0)} ms`),
    row("resident memory", ({ residentBytes }) => `${(residentBytes / 1_048_576).toFixed(0)} MiB`),
    row(`goes on after a reset connection, within ${cutLimitMs / 1_000} s`, ({ survivedCut }) =>
      survivedCut ? "yes" : "no",
    ),
  ].join("\n");
}
