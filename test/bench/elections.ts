import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { startApiServer, type ApiServer } from "../../local/control-plane/api-server.ts";
import { EnvironmentReader } from "../../runtime/environment.ts";
import { exitOnFailure } from "../../runtime/shutdown.ts";
import { happensWithin } from "../support/until.ts";
import { Candidate, ensureElections, type Timing } from "./elections/candidate.ts";
import { formatTable, type ElectionRun } from "./elections/report.ts";
import { increase, readRequestCounts } from "./fleet/usage.ts";
import { exitOnSignals, MACHINE, writeResults } from "./output.ts";

/**
 * `make bench-elections`: what people would otherwise use, client-go's leader election, one per city, on a real API server:
 * requests, the time from a leader's death or release to the next one, and what becomes of the writes of a leader that was
 * deposed while it was frozen. See docs/benchmarks.md.
 */

const TIMINGS: readonly (Timing & { readonly name: string })[] = [
  { name: "default 15/10/2 s", lease: "15s", renew: "10s", retry: "2s" },
  { name: "fast 4/3/1 s", lease: "4s", renew: "3s", retry: "1s" },
];
const LEAD_LIMIT_MS = 60_000;
/** Longer than any of the leases. */
const FREEZE_EXTRA_MS = 5_000;
const THAWED_MS = 5_000;

function readSettings() {
  const environment = new EnvironmentReader(process.env);
  const settings = {
    cities: environment.integer("CITIES", { min: 1, max: 1_000 }, 100),
    steadySeconds: environment.integer("STEADY_SECONDS", { min: 5, max: 600 }, 20),
  };
  environment.finish();
  return settings;
}

type Settings = ReturnType<typeof readSettings>;

async function measure(
  input: { readonly api: ApiServer; readonly program: string; readonly settings: Settings },
  timing: (typeof TIMINGS)[number],
): Promise<ElectionRun> {
  const { api, program, settings } = input;
  const { cities, steadySeconds } = settings;
  let started = 0;
  const start = (): Candidate =>
    new Candidate({
      program,
      identity: `candidate-${++started}`,
      kubeconfigPath: api.kubeconfigPath,
      cities,
      timing,
      tick: "1s",
    });
  const leadsAll = async (candidate: Candidate): Promise<void> =>
    happensWithin(
      LEAD_LIMIT_MS,
      `${candidate.identity} leading every city`,
      () => candidate.leads().size === cities,
    );
  /** From `sinceMs` to the moment at which each city has its next leader. */
  const takeovers = async (next: Candidate, sinceMs: number): Promise<readonly number[]> => {
    await leadsAll(next);
    return [...next.leads().values()].map((atMs) => atMs - sinceMs).toSorted((left, right) => left - right);
  };
  let leader = start();
  await leadsAll(leader);
  let follower = start();
  try {
    await sleep(5_000);
    const before = await readRequestCounts(api);
    await sleep(steadySeconds * 1_000);
    const after = await readRequestCounts(api);
    const ofLeases = increase(before, after).filter(([request]) => request.endsWith(" leases"));

    const killedMs = Date.now();
    await leader.end("SIGKILL");
    const killed = await takeovers(follower, killedMs);
    [leader, follower] = [follower, start()];
    await sleep(3_000);

    const releasedMs = Date.now();
    await leader.end("SIGTERM");
    const released = await takeovers(follower, releasedMs);
    [leader, follower] = [follower, start()];
    await sleep(3_000);

    leader.signal("SIGSTOP");
    const frozenMs = Date.now();
    await leadsAll(follower);
    await sleep(
      Math.max(0, Number.parseInt(timing.lease) * 1_000 + FREEZE_EXTRA_MS - (Date.now() - frozenMs)),
    );
    const thawedMs = Date.now();
    leader.signal("SIGCONT");
    await sleep(THAWED_MS);
    const deposed = leader.events.filter(
      ({ kind, atMs, leader: named, error }) =>
        kind === "wrote" && atMs >= thawedMs && error === undefined && named === follower.identity,
    );
    return {
      timing: timing.name,
      cities,
      requests: ofLeases.map(([request, count]) => [request, count / steadySeconds]),
      killedMs: killed,
      releasedMs: released,
      writesOfDeposed: deposed.length,
    };
  } finally {
    for (const candidate of [leader, follower]) {
      candidate.signal("SIGCONT");
      await candidate.end("SIGKILL");
    }
    await api.kubectl(["delete", "leases,configmaps", "--all", "--wait=false"]);
  }
}

async function main(): Promise<void> {
  const settings = readSettings();
  const progress = (line: string): void => {
    process.stderr.write(`${line}\n`);
  };
  const program = await ensureElections(progress);
  const directory = await mkdtemp(join(tmpdir(), "city-operator-elections-"));
  const api = await startApiServer({ directory, progress });
  try {
    const rows: ElectionRun[] = [];
    for (const timing of TIMINGS) {
      rows.push(await measure({ api, program, settings }, timing));
      progress(timing.name);
    }
    await writeResults("elections", { settings, rows });
    process.stdout.write(
      `\n${MACHINE.cpu}, ${MACHINE.cores} cores; client-go 0.35.4, ${settings.cities} cities, 2 candidates\n\n${formatTable(rows)}\n`,
    );
  } finally {
    await api.stop();
    await rm(directory, { recursive: true, force: true });
  }
}

exitOnSignals();

exitOnFailure(
  process,
  main().then(() => process.exit(0)),
);
