import { EnvironmentReader } from "../../runtime/environment.ts";
import { parseDuration } from "../../crds/duration.ts";
import { exitOnFailure } from "../../runtime/shutdown.ts";
import { observe } from "./fleet/observe.ts";
import { coldStart, imbalance, loseHost, replaceAll, rest } from "./fleet/phases.ts";
import { formatRun, type FleetRun } from "./fleet/report.ts";
import { RunningFleet } from "./fleet/running-fleet.ts";
import { progress, writeResults } from "./output.ts";

/**
 * `make bench-fleet`: a whole fleet on real servers: cold start, steady state, the loss of one and of many workers, and the
 * replacement of all of them. See docs/benchmarks.md.
 */

function readSettings() {
  const environment = new EnvironmentReader(process.env);
  const settings = {
    cities: environment.integer("CITIES", { min: 1, max: 100_000 }, 10_000),
    workers: environment.integer("WORKERS", { min: 4, max: 10_000 }, 200),
    periodMs: environment.parsed("PERIOD", 60_000, parseDuration),
    heartbeatIntervalMs: environment.parsed("HEARTBEAT_INTERVAL", 5_000, parseDuration),
    steadyMs: environment.parsed("STEADY", 120_000, parseDuration),
    isProfiled: environment.oneOf("PROFILE", ["yes", "no"], "no") === "yes",
  };
  environment.finish();
  return settings;
}

const HOSTS = 2;

/** All phases, one after the other. */
async function measure(fleet: RunningFleet, settings: ReturnType<typeof readSettings>): Promise<void> {
  const { workers } = settings;
  // One worker and a tenth of all have processes of their own, to be killed.
  const many = Math.max(1, Math.round(workers / 10));
  const others = workers - 1 - many;
  const share = Math.ceil(others / HOSTS);
  progress(`${settings.cities} Cities created`);
  const cold = await coldStart(fleet, [1, many, share, others - share]);
  progress(`cold start: ${(cold.committedMs / 1_000).toFixed(1)} s`);
  await rest(fleet);
  const imbalanceAtRest = await imbalance(fleet);
  const steady = await observe(fleet, settings.steadyMs);
  progress(`steady: ${steady.ticks} ticks, ${steady.missedSlots} missed`);
  const losses = [await loseHost(fleet, 0)];
  progress("one worker lost");
  losses.push(await loseHost(fleet, 0));
  progress(`${many} workers lost`);
  const replacement = await replaceAll(fleet);
  progress("all workers replaced");
  const run: FleetRun = { settings, cold, imbalance: imbalanceAtRest, steady, losses, replacement };
  await writeResults(`fleet-${settings.cities}`, run);
  process.stdout.write(`\n${formatRun(run)}\n`);
}

async function main(): Promise<void> {
  const settings = readSettings();
  const interrupted = Promise.withResolvers<never>();
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.on(signal, () => {
      interrupted.reject(new Error(`ended by ${signal}`));
    });
  }
  // Also before anybody waits for it.
  interrupted.promise.catch(() => undefined);
  const fleet = await RunningFleet.start(settings, progress);
  try {
    await Promise.race([measure(fleet, settings), interrupted.promise]);
  } finally {
    await fleet.stop();
  }
}

exitOnFailure(
  process,
  main().then(() => process.exit(0)),
);
