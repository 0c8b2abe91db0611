import { EnvironmentReader } from "../../runtime/environment.ts";
import { exitOnFailure } from "../../runtime/shutdown.ts";
import { MACHINE, writeResults } from "./output.ts";
import { boundedLoadRing, product, rendezvous, type Placer } from "./placement/placers.ts";
import { measurePlacer, type Scenario } from "./placement/measure.ts";
import { formatTable } from "./placement/report.ts";

/**
 * `make bench-placement`: how long placing takes, how even it is, and what moves when a worker joins or leaves and when
 * weights change; the product's own placement beside rendezvous hashing and a ring with bounded loads. In memory, from one
 * seed. See docs/benchmarks.md.
 */

const SCENARIOS: readonly Scenario[] = [
  { cities: 10_000, workers: 200 },
  { cities: 100_000, workers: 1_000 },
  { cities: 100_000, workers: 2_000 },
];
const PLACERS: readonly Placer[] = [product, rendezvous, boundedLoadRing];

function readSettings() {
  const environment = new EnvironmentReader(process.env);
  const settings = {
    seed: environment.integer("SEED", { min: 1, max: 1_000_000 }, 1),
    /** Part of "10000x200" and the like. */
    only: environment.text("ONLY", "part of cities x workers", ""),
  };
  environment.finish();
  return settings;
}

async function main(): Promise<void> {
  const { seed, only } = readSettings();
  const rows = SCENARIOS.filter(({ cities, workers }) => `${cities}x${workers}`.includes(only)).flatMap(
    (scenario) =>
      PLACERS.map((placer) => {
        const row = measurePlacer(placer, scenario, seed);
        process.stderr.write(`${scenario.cities} x ${scenario.workers} ${placer.name}\n`);
        return row;
      }),
  );
  await writeResults("placement", { seed, rows });
  process.stdout.write(
    `\n${MACHINE.cpu}, ${MACHINE.cores} cores, Node ${process.versions.node}; seed ${seed}\n\n${formatTable(rows)}\n`,
  );
}

exitOnFailure(
  process,
  main().then(() => process.exit(0)),
);
