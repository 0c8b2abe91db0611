import { parseDuration } from "../../crds/duration.ts";
import { EnvironmentReader } from "../../runtime/environment.ts";
import { exitOnFailure } from "../../runtime/shutdown.ts";
import { observe } from "./fleet/observe.ts";
import { coldStart, rest } from "./fleet/phases.ts";
import { RunningFleet } from "./fleet/running-fleet.ts";
import { useOf } from "./fleet/usage.ts";
import { exitOnSignals, MACHINE, progress, writeResults } from "./output.ts";
import { formatTable, type WorkerRun } from "./worker/report.ts";

/**
 * `make bench-worker`: one worker with many cities on real servers: how punctual its ticks and heartbeats are, at rest and
 * with dispatch threads that are never idle, and what a city costs in memory. See docs/benchmarks.md.
 */

function readSettings() {
  const environment = new EnvironmentReader(process.env);
  const settings = {
    cities: environment.integer("CITIES", { min: 1, max: 5_000 }, 500),
    periodMs: environment.parsed("PERIOD", 5_000, parseDuration),
    steadyMs: environment.parsed("STEADY", 60_000, parseDuration),
  };
  environment.finish();
  return settings;
}

const HEARTBEAT_INTERVAL_MS = 5_000;

async function main(): Promise<void> {
  const { steadyMs, ...settings } = readSettings();
  const fleet = await RunningFleet.start(
    { ...settings, workers: 1, heartbeatIntervalMs: HEARTBEAT_INTERVAL_MS, isProfiled: false },
    progress,
  );
  try {
    const spare = fleet.addHost(1);
    await spare.ready();
    const idle = await useOf(spare.pid);
    await spare.kill();
    fleet.hosts = [];
    await coldStart(fleet, [1]);
    await rest(fleet);
    progress("every city commits");
    const alone = await observe(fleet, steadyMs);
    fleet.hosts[0]?.saturate(true);
    const saturated = await observe(fleet, steadyMs);
    fleet.hosts[0]?.saturate(false);
    const run: WorkerRun = { settings, idleBytes: idle.residentBytes, alone, saturated };
    await writeResults("worker", run);
    process.stdout.write(
      `\n${MACHINE.cpu}, ${MACHINE.cores} cores, Node ${process.versions.node}\n\n${formatTable(run)}\n`,
    );
  } finally {
    await fleet.stop();
  }
}

exitOnSignals();

exitOnFailure(
  process,
  main().then(() => process.exit(0)),
);
