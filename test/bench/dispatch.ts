import { readFile } from "node:fs/promises";
import { EnvironmentReader } from "../../runtime/environment.ts";
import { exitOnFailure } from "../../runtime/shutdown.ts";
import { INSTANCES, nameOf, snapshotOf, type Instance } from "./dispatch/instances.ts";
import { problemOf, runDispatch, runMatching, runNearest, runOracle, type Run } from "./dispatch/methods.ts";
import { formatTable, missedTargets, TARGETS, type Measured } from "./dispatch/report.ts";
import { MACHINE, writeResults } from "./output.ts";

/**
 * `make bench-dispatch`: how long dispatching takes and how far from the best it is, beside an independent dense solver and the
 * nearest courier, on random cities. Prints a Markdown table, writes all samples to `out/bench/dispatch.json`, and ends
 * with 1 when a target was missed. See docs/dispatch/matching.md.
 */

const BUDGET_MS = 1_000;
/** The dense solver is asked up to here: some seconds. */
const ORACLE_PAIRS_MAX = 4_000_000;
/** A method gets no more samples of an instance than fit in here, but one for each seed. */
const METHOD_LIMIT_MS = 20_000;
const WARM_UP_RUNS = 3;

type Settings = { readonly samples: number; readonly seeds: number; readonly only: string };

function readSettings(): Settings {
  const environment = new EnvironmentReader(process.env);
  const settings = {
    samples: environment.integer("SAMPLES", { min: 1, max: 10_000 }, 100),
    seeds: environment.integer("SEEDS", { min: 1, max: 1_000 }, 5),
    only: environment.text("ONLY", "part of an instance's name", ""),
  };
  environment.finish();
  return settings;
}

function measure(instance: Instance, { samples, seeds }: Settings): Measured {
  const seedList = Array.from({ length: seeds }, (_, index) => index + 1);
  const snapshots = seedList.map((seed) => snapshotOf(instance, seed));
  const problems = snapshots.map(problemOf);
  const hasOracle = instance.orders * instance.couriers <= ORACLE_PAIRS_MAX;
  return {
    instance: nameOf(instance),
    seeds: seedList,
    dispatch: repeat(snapshots, samples, (snapshot) => runDispatch(snapshot, BUDGET_MS)),
    matching: repeat(problems, samples, (problem) => runMatching(problem, BUDGET_MS)),
    nearest: problems.map(runNearest),
    oracle: hasOracle ? problems.map(runOracle) : [],
  };
}

/** Seed after seed, again and again. */
function repeat<Input>(
  inputs: readonly Input[],
  samples: number,
  run: (input: Input) => Run,
): readonly Run[] {
  for (const input of inputs.slice(0, WARM_UP_RUNS)) run(input);
  const startedMs = performance.now();
  const runs: Run[] = [];
  while (runs.length < samples) {
    for (const input of inputs) runs.push(run(input));
    if (performance.now() - startedMs > METHOD_LIMIT_MS) break;
  }
  return runs;
}

async function main(): Promise<number> {
  const settings = readSettings();
  const rows: Measured[] = [];
  for (const instance of INSTANCES.filter((one) => nameOf(one).includes(settings.only))) {
    const row = measure(instance, settings);
    rows.push(row);
    process.stderr.write(`${formatTable([row]).split("\n").at(-1) ?? ""}\n`);
  }
  const { version } = JSON.parse(await readFile("node_modules/munkres/package.json", "utf8")) as {
    readonly version: string;
  };
  const versions = { ...process.versions, munkres: version };
  await writeResults("dispatch", { versions, budgetMs: BUDGET_MS, settings, rows });
  process.stdout.write(
    `\n${MACHINE.cpu}, ${MACHINE.cores} cores, Node ${process.versions.node}; budget ${BUDGET_MS} ms, seeds 1 to ${settings.seeds}\n\n${formatTable(rows)}\n\n`,
  );
  const missed = missedTargets(rows, TARGETS);
  process.stdout.write(missed.length === 0 ? "all targets met\n" : `${missed.join("\n")}\n`);
  return missed.length === 0 ? 0 : 1;
}

exitOnFailure(
  process,
  main().then((code) => process.exit(code)),
);
