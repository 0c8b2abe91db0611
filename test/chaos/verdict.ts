import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { audit, formatAuditReport } from "../../db/audit.ts";
import type { Product } from "../support/product.ts";
import type { People } from "./cities.ts";
import { contradictions, readJournal, type Journal } from "./journal.ts";

/** One thing that must hold after the run; no violations: it does. */
export type Check = { readonly title: string; readonly violations: readonly string[] };

export type Figures = {
  readonly ticks: number;
  readonly claims: number;
  readonly moves: number;
  readonly acknowledged: number;
  readonly fenced: number;
  readonly unknown: number;
  readonly promises: number;
  readonly decisions: number;
  /** Between two commits of a city that nobody suspended or deleted. */
  readonly worstGapMs: number;
};

const READ_LIMIT_MS = 120_000;
const SHOWN_MAX = 10;

/** Reads the journals first: what is acknowledged by then must be in the ledger that is read afterwards. */
export async function judge(input: {
  readonly product: Product;
  readonly people: People;
  /** Cities that were to tick all the time. */
  readonly steadyCities: readonly string[];
}): Promise<{ readonly checks: readonly Check[]; readonly figures: Figures }> {
  const { product, people } = input;
  const journal = readJournal(await readWorkerLogs(product.stack.directory));
  const signal = AbortSignal.timeout(READ_LIMIT_MS);
  const rows = await product.database.query("SELECT BIN_TO_UUID(commit_id) AS id FROM tick", [], signal);
  const { lost, impossible } = contradictions(journal, new Set(rows.map((row) => String(row["id"]))));
  const report = await audit(product.database, signal);
  const checks: Check[] = [
    {
      title: "the auditor finds every invariant to hold in the tables",
      violations: report.isClean ? [] : [formatAuditReport(report)],
    },
    { title: "what a worker was told is committed is in the ledger", violations: lost },
    { title: "what a worker was told is refused is not in the ledger", violations: impossible },
    {
      title: "workers wrote down what they were told",
      violations: journal.acknowledged.size > 0 ? [] : ["no journal has a committed tick"],
    },
    { title: "nothing was committed after silence was promised", violations: people.violations },
  ];
  return { checks, figures: await readFigures(input, journal, report) };
}

export function formatCheck({ title, violations }: Check): string {
  if (violations.length === 0) return `  holds     ${title}`;
  const hidden = violations.length - SHOWN_MAX;
  return [
    `  VIOLATED  ${title}`,
    ...violations.slice(0, SHOWN_MAX).map((violation) => `              ${violation}`),
    ...(hidden > 0 ? [`              … and ${hidden} more`] : []),
  ].join("\n");
}

async function readWorkerLogs(directory: string): Promise<readonly string[]> {
  const folder = join(directory, "log");
  const files = (await readdir(folder)).filter((file) => file.startsWith("worker-"));
  return Promise.all(files.map((file) => readFile(join(folder, file), "utf8")));
}

async function readFigures(
  {
    product,
    people,
    steadyCities,
  }: { readonly product: Product; readonly people: People; readonly steadyCities: readonly string[] },
  journal: Journal,
  report: { readonly ticks: number; readonly decisions: number },
): Promise<Figures> {
  const marks = steadyCities.map(() => "?").join(", ");
  const [claims] = await product.query("SELECT COUNT(*) AS claims FROM claim WHERE holder IS NOT NULL");
  const [moves] = await product.query(
    `SELECT COUNT(*) AS moves FROM (
       SELECT holder, LAG(holder) OVER (PARTITION BY city ORDER BY claim) AS former FROM claim) AS claims
      WHERE holder <> former`,
  );
  const [gap] = await product.query(
    `SELECT MAX(gap) AS gap_ms FROM (
       SELECT TIMESTAMPDIFF(MICROSECOND, LAG(committed_at) OVER (PARTITION BY city ORDER BY tick), committed_at) / 1000 AS gap
         FROM tick WHERE city IN (${marks})) AS gaps`,
    steadyCities,
  );
  return {
    ticks: report.ticks,
    claims: Number(claims?.["claims"]),
    moves: Number(moves?.["moves"]),
    acknowledged: journal.acknowledged.size,
    fenced: journal.fenced,
    unknown: journal.unknown,
    promises: people.promises,
    decisions: report.decisions,
    worstGapMs: Number(gap?.["gap_ms"] ?? 0),
  };
}
