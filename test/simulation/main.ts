import { fork } from "node:child_process";
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { narrow } from "./narrow.ts";
import { run, type RunResult } from "./run.ts";
import { shapeOf } from "./shape.ts";

/**
 * `--seeds 100 [--first 1] [--hours 10] [--jobs <as many as cores>]` runs seeds until that many are done or that many cluster-hours are
 * simulated; `--seed 7 [--narrate]` runs one and tells its story; `--without crash,freeze` leaves kinds of faults out.
 */

const { values } = parseArgs({
  options: {
    seeds: { type: "string", default: "100" },
    first: { type: "string" },
    hours: { type: "string" },
    jobs: { type: "string", default: String(availableParallelism()) },
    seed: { type: "string" },
    narrate: { type: "boolean", default: false },
    narrow: { type: "boolean", default: false },
    without: { type: "string", default: "" },
    /** Set by ourselves: run the seeds that the parent sends. */
    job: { type: "boolean", default: false },
  },
});

const HOUR_MS = 3_600_000;
/**
 * A process that is killed in a run leaves waits behind that nobody ends, and Node keeps those until its own process ends:
 * one or two megabytes a seed.
 */
const SEEDS_PER_CHILD = 100;
const out = (line: string): boolean => process.stdout.write(`${line}\n`);
const kindsOf = (text: string): ReadonlySet<string> => new Set(text.split(",").filter((kind) => kind !== ""));
const choice = { without: kindsOf(values.without) };

/** What one child tells the other side about a seed. */
type Report = Pick<
  RunResult,
  "seed" | "violations" | "simulatedMs" | "fingerprint" | "events" | "healedMs"
> & {
  readonly outcomes: readonly (readonly [string, number])[];
};

function reportOf({
  seed,
  violations,
  simulatedMs,
  fingerprint,
  events,
  healedMs,
  outcomes,
}: RunResult): Report {
  return { seed, violations, simulatedMs, fingerprint, events, healedMs, outcomes: [...outcomes] };
}

async function runOne(seed: number): Promise<void> {
  const result = await run({ seed, choice, tell: values.narrate ? out : undefined });
  const shape = shapeOf(seed);
  out(
    `seed ${seed}: ${shape.operators} operators, ${shape.workers} workers, ${shape.cities.length} cities, ${Math.round(result.simulatedMs / 1_000)} s, faults ${result.kinds.join(" ")}`,
  );
  out(`fingerprint ${result.fingerprint}, healed after ${Math.round((result.healedMs ?? -1) / 1_000)} s`);
  for (const violation of result.violations) out(`VIOLATION ${violation}`);
  if (result.violations.length > 0 && values.narrow) out(await narrow(seed, choice, out));
  summarise(result.violations.length === 0 ? 1 : 0, result.violations.length === 0 ? 0 : 1);
}

function summarise(passed: number, failed: number): void {
  out(`${passed} passed, ${failed} failed`);
  process.exitCode = failed === 0 ? 0 : 1;
}

/** As a child: a seed comes in, a report goes out. */
function serve(): void {
  // Errors are made by the thousand here, and a failing seed is run again by itself.
  Error.stackTraceLimit = 0;
  process.on("message", (seed: number) => {
    void run({ seed, choice }).then((result) => process.send?.(reportOf(result)));
  });
}

async function runMany(): Promise<void> {
  const first = Number(values.first ?? Math.floor(Date.now() / 86_400_000) * 1_000_000);
  const seedsMax = Number(values.seeds);
  const hoursMax = Number(values.hours ?? Infinity);
  const startedMs = performance.now();
  const reports: Report[] = [];
  let next = first;
  let shownMs = startedMs;
  const simulatedHours = (): number =>
    reports.reduce((sum, { simulatedMs }) => sum + simulatedMs, 0) / HOUR_MS;
  const perMinute = (): number => (simulatedHours() * 60_000) / (performance.now() - startedMs);
  out(`seeds from ${first} on; one again with: make simulate SEED=<seed>`);

  const isOver = (): boolean => next - first >= seedsMax || simulatedHours() >= hoursMax;
  const runSome = async (): Promise<void> => {
    const child = fork(fileURLToPath(import.meta.url), ["--job", "--without", values.without]);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    let left = SEEDS_PER_CHILD;
    const give = (): void => {
      if (left-- === 0 || isOver()) child.disconnect();
      else child.send(next++);
    };
    child.on("message", (report: Report) => {
      reports.push(report);
      for (const violation of report.violations) out(`seed ${report.seed}: VIOLATION ${violation}`);
      if (performance.now() - shownMs > 5_000) {
        shownMs = performance.now();
        const failed = reports.filter(({ violations }) => violations.length > 0).length;
        out(
          `${reports.length} seeds, ${simulatedHours().toFixed(1)} h, ${perMinute().toFixed(0)} h/min, ${failed} failed`,
        );
      }
      give();
    });
    child.once("error", reject);
    child.once("exit", (code, by) =>
      code === 0 ? resolve() : reject(new Error(`a job ended with ${by ?? `code ${code}`}`)),
    );
    give();
    await promise;
  };
  const job = async (): Promise<void> => {
    while (!isOver()) await runSome();
  };
  await Promise.all(Array.from({ length: Number(values.jobs) }, job));

  const failed = reports.filter(({ violations }) => violations.length > 0);
  const outcomes = new Map<string, number>();
  for (const [outcome, count] of reports.flatMap((report) => report.outcomes)) {
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + count);
  }
  out(
    `what MySQL answered: ${[...outcomes]
      .map(([outcome, count]) => `${outcome} ${count}`)
      .toSorted()
      .join(", ")}`,
  );
  const healed = reports.flatMap(({ healedMs }) => healedMs ?? []).toSorted((left, right) => left - right);
  const at = (share: number): string =>
    ((healed[Math.floor(share * (healed.length - 1))] ?? 0) / 1_000).toFixed(1);
  out(`healed after: median ${at(0.5)} s, p99 ${at(0.99)} s, longest ${at(1)} s`);
  out(
    `seeds ${reports.length}, simulated hours ${simulatedHours().toFixed(1)}, hours per minute ${perMinute().toFixed(0)}, violations ${failed.reduce((sum, { violations }) => sum + violations.length, 0)}`,
  );
  if (failed.length > 0) out(`failed seeds: ${failed.map(({ seed }) => seed).join(" ")}`);
  if (failed[0] !== undefined) out(await narrow(failed[0].seed, choice, out));
  summarise(reports.length - failed.length, failed.length);
}

if (values.job) serve();
else if (values.seed !== undefined) await runOne(Number(values.seed));
else await runMany();
