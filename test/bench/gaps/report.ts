import { quantile, type Cost } from "./measure.ts";

/** What the design promises of an event; whatever is absent is not promised. */
export type Bound = {
  /** Of the longest gap of each struck city. */
  readonly gapMs?: { readonly of: "p99" | "max"; readonly limitMs: number; readonly formula: string };
  /** Slots that all cities together may miss. */
  readonly missedMax?: number;
  /** Moves that any one city may make. */
  readonly movesMax?: number;
};

export type Measured = { readonly event: string; readonly bound: Bound; readonly cost: Cost };

/** What was exceeded, as words; empty when the bound holds. Pure. */
export function excessOf({ bound, cost }: Measured): readonly string[] {
  const excess: string[] = [];
  const { gapMs, missedMax = Infinity, movesMax = Infinity } = bound;
  if (gapMs !== undefined) {
    const measuredMs = quantile(cost.gapsMs, gapMs.of === "p99" ? 0.99 : 1);
    if (!(measuredMs <= gapMs.limitMs)) excess.push(`${gapMs.of} gap`);
  }
  if (cost.missed.affected + cost.missed.others > missedMax) excess.push("missed slots");
  if (cost.moves.max > movesMax) excess.push("moves");
  return excess;
}

const COLUMNS = [
  "event",
  "cities struck",
  "gap median",
  "gap p99",
  "gap max",
  "missed slots",
  "missed by others",
  "moves per city",
  "bound",
  "",
];

/** A Markdown table, one line per event. Pure. */
export function formatTable(rows: readonly Measured[]): string {
  const lines = rows.map((row) => {
    const { gapsMs, missed, moves } = row.cost;
    const gap = (share: number): string => seconds(quantile(gapsMs, share));
    const excess = excessOf(row);
    return [
      row.event,
      gapsMs.length,
      gap(0.5),
      gap(0.99),
      gap(1),
      missed.affected,
      missed.others,
      moves.min === moves.max ? moves.max : `${moves.min}–${moves.max}`,
      boundText(row.bound),
      excess.length === 0 ? "holds" : `**EXCEEDED: ${excess.join(", ")}**`,
    ];
  });
  const line = (cells: readonly (string | number)[]): string => `| ${cells.join(" | ")} |`;
  return [line(COLUMNS), line(COLUMNS.map(() => "---")), ...lines.map(line)].join("\n");
}

/** The figures of one event in one line. */
export function resultText(row: Measured): string {
  const { gapsMs, missed, moves } = row.cost;
  const gaps = [0.5, 0.99, 1].map((share) => seconds(quantile(gapsMs, share))).join(" / ");
  const cost = `${gapsMs.length} cities, gap ${gaps}, ${missed.affected} + ${missed.others} missed slots, ${moves.min} to ${moves.max} moves`;
  const excess = excessOf(row);
  return `${cost}; ${boundText(row.bound)}: ${excess.length === 0 ? "holds" : `EXCEEDED (${excess.join(", ")})`}`;
}

function boundText({ gapMs, missedMax, movesMax }: Bound): string {
  const parts: string[] = [];
  if (gapMs !== undefined) parts.push(`${gapMs.of} ≤ ${seconds(gapMs.limitMs)} (${gapMs.formula})`);
  if (missedMax !== undefined) parts.push(`${missedMax} missed slots`);
  if (movesMax !== undefined) parts.push(movesMax === 0 ? "no move" : `≤ ${movesMax} moves`);
  return parts.join(", ");
}

function seconds(timeMs: number): string {
  return `${(timeMs / 1_000).toFixed(2)} s`;
}
