import { quantile } from "../gaps/measure.ts";
import type { Change, Row } from "./measure.ts";

/** A Markdown table, one line per placer and size. Pure. */
export function formatTable(rows: readonly Row[]): string {
  const head = [
    "cities × workers",
    "placer",
    "all at once",
    "most ÷ mean",
    "one leaves: decided in",
    "one joins: moves",
    "one leaves: moves (least possible)",
    "1 % leave: moves (least possible)",
    "weights of 10 % change: moves",
    "most ÷ mean after that",
  ];
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  const against = ({ moves, movesMin }: Change): string => `${moves} (${movesMin})`;
  return [
    line(head),
    line(head.map(() => "---")),
    ...rows.map((row) =>
      line([
        `${row.cities.toLocaleString("en")} × ${row.workers.toLocaleString("en")}`,
        row.placer,
        `${median(row.initial.tookMs).toFixed(0)} ms`,
        row.initial.imbalance.toFixed(2),
        `${median(row.leave.tookMs).toFixed(0)} ms`,
        String(row.join.moves),
        against(row.leave),
        against(row.leaveMany),
        String(row.reweigh.moves),
        row.reweigh.imbalance.toFixed(2),
      ]),
    ),
  ].join("\n");
}

function median(values: readonly number[]): number {
  return quantile(
    values.toSorted((left, right) => left - right),
    0.5,
  );
}
