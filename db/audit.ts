import type { Database } from "./pool.ts";
import { CHECKS, missedSlots } from "./audit/checks.ts";
import { hasReferenceSchema, readHistory, type CityHistory } from "./audit/history.ts";

/** Checks the invariants on all that the database still knows. Reads only; each city is one consistent read of its own. */

export type CheckResult = {
  /** Its number among the invariants of ARCHITECTURE.md. */
  readonly invariant: number;
  readonly title: string;
  /** Rows that were looked at. */
  readonly examined: number;
  readonly violationsTotal: number;
  /** The first ones, as sentences that begin with the city. */
  readonly violations: readonly string[];
};

export type AuditReport = {
  readonly cities: number;
  readonly ticks: number;
  readonly decisions: number;
  readonly dropped: number;
  readonly degradedTicks: number;
  /** Slots that no tick was committed for: information, no violation. */
  readonly missedSlots: number;
  readonly checks: readonly CheckResult[];
  readonly isClean: boolean;
};

const VIOLATIONS_SHOWN_MAX = 20;
const CITIES_PER_PAGE = 1_000;

/** Errors: those of Database. A day of ticks of one city (17,280 at 5 s) takes well under a second. */
export async function audit(database: Database, signal: AbortSignal): Promise<AuditReport> {
  const withAssignments = await hasReferenceSchema(database.query, signal);
  const tally = new Tally();
  for (let after: string | undefined = ""; after !== undefined;) {
    const page: readonly string[] = await readCities(database, after, signal);
    for (const city of page) {
      tally.add(
        await database.readConsistently(
          (query) => readHistory(query, { city, withAssignments }, signal),
          signal,
        ),
      );
    }
    after = page.length < CITIES_PER_PAGE ? undefined : page.at(-1);
  }
  return tally.report();
}

export function formatAuditReport(report: AuditReport): string {
  const { cities, ticks, decisions, dropped, degradedTicks } = report;
  const lines = [
    `${cities} cities, ${ticks} ticks (${degradedTicks} degraded), ${decisions} decisions (${dropped} dropped), ${report.missedSlots} missed slots`,
  ];
  for (const check of report.checks) {
    const verdict = check.violationsTotal === 0 ? "holds   " : "VIOLATED";
    lines.push(`  ${verdict} ${check.invariant}. ${check.title} (${check.examined} examined)`);
    lines.push(...check.violations.map((violation) => `             ${violation}`));
    const hidden = check.violationsTotal - check.violations.length;
    if (hidden > 0) lines.push(`             … and ${hidden} more`);
  }
  lines.push(report.isClean ? "all invariants hold" : "INVARIANTS ARE VIOLATED");
  return lines.join("\n");
}

async function readCities(
  database: Database,
  after: string,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const rows = await database.query(
    "SELECT city FROM city_fence WHERE city > ? ORDER BY city LIMIT ?",
    [after, CITIES_PER_PAGE],
    signal,
  );
  return rows.map((row) => String(row["city"]));
}

class Tally {
  readonly #checks = CHECKS.map((check) => ({ check, examined: 0, total: 0, shown: [] as string[] }));
  #cities = 0;
  #ticks = 0;
  #decisions = 0;
  #dropped = 0;
  #degradedTicks = 0;
  #missedSlots = 0;

  add(history: CityHistory): void {
    this.#cities += 1;
    this.#ticks += history.ticks.length;
    this.#missedSlots += missedSlots(history);
    for (const tick of history.ticks) {
      this.#decisions += tick.decisions;
      this.#dropped += tick.dropped;
      if (tick.isDegraded) this.#degradedTicks += 1;
    }
    for (const entry of this.#checks) {
      const { examined, violations } = entry.check.run(history);
      entry.examined += examined;
      entry.total += violations.length;
      const room = VIOLATIONS_SHOWN_MAX - entry.shown.length;
      entry.shown.push(...violations.slice(0, room).map((violation) => `${history.city}: ${violation}`));
    }
  }

  report(): AuditReport {
    return {
      cities: this.#cities,
      ticks: this.#ticks,
      decisions: this.#decisions,
      dropped: this.#dropped,
      degradedTicks: this.#degradedTicks,
      missedSlots: this.#missedSlots,
      checks: this.#checks.map(({ check, examined, total, shown }) => ({
        invariant: check.invariant,
        title: check.title,
        examined,
        violationsTotal: total,
        violations: shown,
      })),
      isClean: this.#checks.every(({ total }) => total === 0),
    };
  }
}
