import { EnvironmentReader } from "../../runtime/environment.ts";
import { progress } from "./output.ts";
import { exitOnFailure, failureText } from "../../runtime/shutdown.ts";
import { EVENTS, HEARTBEAT_INTERVAL_MS, PERIOD_MS, type GapEvent } from "./gaps/events.ts";
import { BenchFleet } from "./gaps/fleet.ts";
import { readCost } from "./gaps/measure.ts";
import { excessOf, formatTable, resultText, type Measured } from "./gaps/report.ts";

/**
 * `make bench-gaps`: what each kind of trouble costs a city, with real processes, measured from the ledgers and printed
 * as a Markdown table beside what the design promises. Ends with 1 when a bound was exceeded. See docs/gaps.md.
 */

function readSettings() {
  const environment = new EnvironmentReader(process.env);
  const settings = {
    cities: environment.integer("CITIES", { min: 1, max: 10_000 }, 200),
    workers: environment.integer("WORKERS", { min: 2, max: 100 }, 4),
    /** Part of the names of the events to run. */
    only: environment.text("ONLY", "part of an event's name", ""),
  };
  environment.finish();
  return settings;
}

/** An event that could not be measured does not keep the others from it. */
type Outcome = Measured | { readonly event: string; readonly failure: string };

async function measureAll(fleet: BenchFleet, only: string, signal: AbortSignal): Promise<readonly Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const event of EVENTS.filter(({ name }) => name.includes(only))) {
    signal.throwIfAborted();
    const outcome = await measure(fleet, event).catch((error: unknown) => ({
      event: event.name,
      failure: failureText(error),
    }));
    outcomes.push(outcome);
    progress(`${event.name}: ${"failure" in outcome ? outcome.failure : resultText(outcome)}`);
  }
  return outcomes;
}

async function measure(fleet: BenchFleet, event: GapEvent): Promise<Measured> {
  await fleet.settle();
  const facts = await event.run(fleet);
  const untilMs = await fleet.product.databaseTimeMs();
  const cost = await readCost(fleet.product, fleet.cities, { ...facts, untilMs });
  return { event: event.name, bound: event.bound(facts), cost };
}

async function main(): Promise<number> {
  const settings = readSettings();
  const interrupted = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const)
    process.on(signal, () => {
      interrupted.abort(new Error(`ended by ${signal}`));
    });
  const { cities, workers } = settings;
  progress(`starting ${cities} cities on ${workers} workers`);
  const fleet = await BenchFleet.start({ cities, workers }, interrupted.signal);
  try {
    const ending = Promise.withResolvers<never>();
    interrupted.signal.addEventListener("abort", () => {
      ending.reject(interrupted.signal.reason as Error);
    });
    const outcomes = await Promise.race([
      measureAll(fleet, settings.only, interrupted.signal),
      ending.promise,
    ]);
    const rows = outcomes.filter((outcome) => "cost" in outcome);
    process.stdout.write(
      `\n${cities} cities with a period of ${PERIOD_MS / 1_000} s on ${workers} workers, heartbeats every ${HEARTBEAT_INTERVAL_MS / 1_000} s\n\n${formatTable(rows)}\n\n`,
    );
    await fleet.product.expectAuditClean();
    progress("the auditor found every invariant to hold");
    const holds = rows.length === outcomes.length && rows.every((row) => excessOf(row).length === 0);
    if (!holds) progress(`the logs are in ${await fleet.product.keepLogs("gaps")}`);
    return rows.length > 0 && holds ? 0 : 1;
  } finally {
    await fleet.stop();
  }
}

exitOnFailure(
  process,
  main().then((code) => process.exit(code)),
);
