import { quantile } from "../gaps/measure.ts";

/** All commits of one method in one situation. */
export type Measured = {
  readonly method: string;
  readonly roundTrips: number;
  readonly roundTripMs: number;
  readonly connections: number;
  readonly decisions: number;
  /** Of each commit, in milliseconds. */
  readonly tookMs: readonly number[];
  /** Of each run. */
  readonly perSecond: readonly number[];
};

/** What is promised of the fenced commit's median, as a share of the plain transaction's. */
export type Target = Pick<Measured, "roundTripMs" | "connections" | "decisions"> & {
  readonly shareMax: number;
};

export const TARGETS: readonly Target[] = [
  { roundTripMs: 0, connections: 1, decisions: 20, shareMax: 1.15 },
  { roundTripMs: 1, connections: 1, decisions: 20, shareMax: 1 },
  { roundTripMs: 5, connections: 1, decisions: 20, shareMax: 1 },
];

const median = (values: readonly number[]): number =>
  quantile(
    values.toSorted((a, b) => a - b),
    0.5,
  );

/** A Markdown table, one line per situation: of each method the median of a commit and commits per second. Pure. */
export function formatTable(rows: readonly Measured[], methods: readonly string[]): string {
  const situations = [...Map.groupBy(rows, situationOf).values()];
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  const head = ["added round trip", "connections", "decisions", ...methods, "fenced ÷ plain"];
  return [
    line(head),
    line(head.map(() => "---")),
    ...situations.map((ofSituation) => {
      const [first] = ofSituation;
      const cells = methods.map((method) => {
        const row = ofSituation.find((one) => one.method === method);
        return row === undefined
          ? ""
          : `${median(row.tookMs).toFixed(2)} ms, ${median(row.perSecond).toFixed(0)}/s`;
      });
      const share = shareOf(ofSituation);
      return line([
        `${first?.roundTripMs} ms`,
        String(first?.connections),
        String(first?.decisions),
        ...cells,
        share === undefined ? "" : share.toFixed(2),
      ]);
    }),
  ].join("\n");
}

/** The targets that were missed, as sentences; those of situations that were not measured say nothing. Pure. */
export function missedTargets(rows: readonly Measured[], targets: readonly Target[]): readonly string[] {
  const situations = Map.groupBy(rows, situationOf);
  return targets.flatMap((target) => {
    const share = shareOf(situations.get(situationOf(target)) ?? []);
    if (share === undefined || share <= target.shareMax) return [];
    return [
      `${target.decisions} decisions, ${target.connections} connections, ${target.roundTripMs} ms more of round trip: a fenced commit takes ${share.toFixed(2)} of a plain transaction, not ${target.shareMax}`,
    ];
  });
}

function shareOf(ofSituation: readonly Measured[]): number | undefined {
  const of = (method: string): number | undefined => {
    const row = ofSituation.find((one) => one.method === method);
    return row === undefined ? undefined : median(row.tookMs);
  };
  const fenced = of("fenced commit");
  const plain = of("plain transaction");
  return fenced === undefined || plain === undefined ? undefined : fenced / plain;
}

function situationOf({
  roundTripMs,
  connections,
  decisions,
}: Pick<Measured, "roundTripMs" | "connections" | "decisions">): string {
  return [roundTripMs, connections, decisions].join(" ");
}
