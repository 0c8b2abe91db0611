import { execFileSync } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { audit, formatAuditReport } from "../../db/audit.ts";
import { openDatabase, type Database } from "../../db/pool.ts";
import { systemClock } from "../../runtime/clock.ts";
import { EnvironmentReader } from "../../runtime/environment.ts";
import { silentLog } from "../../runtime/log.ts";
import { failureText } from "../../runtime/shutdown.ts";
import { awaitConsoleUrl } from "../stack/console-url.ts";
import { startStack, type Stack } from "../stack/stack.ts";
import { readCityTraffic, type CityTrafficView } from "../traffic/city-view.ts";
import { readMdrpDay } from "../traffic/mdrplib.ts";
import { RECORDED_SPEED } from "../traffic/recorded-day.ts";
import { gatherFleet } from "./gather.ts";
import { recordedManifest, syntheticManifests, type CityManifest } from "./manifests.ts";
import { createScreen, type Screen } from "../../runtime/screen.ts";
import { startTraffic, type Traffic } from "./traffic.ts";
import { formatFleet, summarizeFleet } from "./view.ts";

/** `make demo`: the whole product on this machine, to be watched. */

const OPERATORS = ["operator-1", "operator-2"];
const WORKERS = ["worker-1", "worker-2", "worker-3"];
const FIRST_TICK_LIMIT_MS = 60_000;
const CONSOLE_LIMIT_MS = 30_000;
const SCREEN_INTERVAL_MS = 1_000;
const PLAIN_INTERVAL_MS = 5_000;
const SPEED_MAX = 300;

type Settings = {
  /** Undefined: until Ctrl-C. */
  readonly seconds: number | undefined;
  /** Folder of a recorded day; undefined: synthetic traffic. */
  readonly day: string | undefined;
  readonly speed: number;
  readonly seed: number;
  /** A MySQL server to use instead of one of our own. */
  readonly mysqlUrl: string | undefined;
};

function readSettings(): Settings {
  const environment = new EnvironmentReader(process.env);
  const seconds = environment.integer("DEMO_SECONDS", { min: 0, max: 1_000_000 }, 0);
  const settings = {
    seconds: seconds === 0 ? undefined : seconds,
    day: environment.optional("DAY"),
    speed: environment.integer("SPEED", { min: 1, max: SPEED_MAX }, RECORDED_SPEED),
    seed: environment.integer("SEED", { min: 0, max: 2 ** 31 - 1 }, Date.now() % 2 ** 31),
    mysqlUrl: environment.optional("MYSQL_URL"),
  };
  environment.finish();
  return settings;
}

async function main(): Promise<number> {
  const settings = readSettings();
  const interrupted = new AbortController();
  process.on("SIGINT", () => interrupted.abort(new Error("interrupted")));
  process.on("SIGTERM", () => interrupted.abort(new Error("terminated")));
  const screen = createScreen(process.stdout);
  const directory = mkdtempSync(join(tmpdir(), "city-operator-demo-"));
  const startedMs = performance.now();
  const progress = (line: string): void =>
    screen.line(`${((performance.now() - startedMs) / 1_000).toFixed(1).padStart(6)} s  ${line}`);
  progress("starting etcd, kube-apiserver and MySQL (the very first time this fetches and builds them)");
  const manifests =
    settings.day === undefined
      ? syntheticManifests()
      : [recordedManifest(settings.day, await readMdrpDay(settings.day), settings.speed)];
  let stack: Stack | undefined;
  try {
    stack = await startStack({ directory, progress, mysqlUrl: settings.mysqlUrl }, interrupted.signal);
    return await runDemo({ settings, manifests, stack, screen, progress, interrupted: interrupted.signal });
  } catch (error) {
    if (!interrupted.signal.aborted) throw error;
    return 0;
  } finally {
    screen.close();
    screen.line("stopping everything");
    await stack?.stop();
    await rm(directory, { recursive: true, force: true });
  }
}

type Demo = {
  readonly settings: Settings;
  readonly manifests: readonly CityManifest[];
  readonly stack: Stack;
  readonly screen: Screen;
  readonly progress: (line: string) => void;
  readonly interrupted: AbortSignal;
};

async function runDemo(demo: Demo): Promise<number> {
  const { settings, manifests, stack, screen, progress, interrupted } = demo;
  for (const name of OPERATORS) stack.startOperator(name, { CONSOLE: "on", CONSOLE_PORT: "0" });
  for (const [index, name] of WORKERS.entries())
    stack.startWorker(name, { WORKER_ZONE: `zone-${index + 1}`, DISPATCHERS: "local/dispatchers" });
  progress(
    `started ${OPERATORS.length} operators and ${WORKERS.length} workers; their logs: ${stack.directory}/log`,
  );
  const { code, stderr } = await stack.api.kubectl(["apply", "-f", "-"], {
    input: JSON.stringify({ apiVersion: "v1", kind: "List", items: manifests }),
  });
  if (code !== 0) throw new Error(`kubectl apply failed: ${stderr}`);
  progress(`applied ${manifests.length} Cities with kubectl`);
  const traffic = startTraffic({
    stack,
    cities: manifests.map(({ metadata }) => metadata.name),
    day: settings.day,
    speed: settings.speed,
    seed: settings.seed,
  });
  const database = openDatabase({
    url: stack.urls.operator,
    connectionsMax: 2,
    log: silentLog,
    clock: systemClock,
  });
  try {
    await firstTick(database, interrupted);
    progress(`the first tick is committed; traffic has seed ${settings.seed}`);
    const lines = [`console: ${await consoleUrl(stack, interrupted)}`, ...linesToCopy(stack, manifests)];
    screen.line(
      `\nin a browser, and from another terminal:\n${lines.map((line) => `  ${line}`).join("\n")}\n`,
    );
    await watch(demo, database, traffic, lines);
    await traffic.stop();
    return interrupted.aborted && settings.seconds === undefined
      ? 0
      : await conclude(demo, database, traffic);
  } finally {
    await database.close();
  }
}

async function firstTick(database: Database, interrupted: AbortSignal): Promise<void> {
  const limit = AbortSignal.any([interrupted, AbortSignal.timeout(FIRST_TICK_LIMIT_MS)]);
  for (;;) {
    const [row] = await database.query("SELECT COUNT(*) AS ticks FROM tick", [], limit);
    if (Number(row?.["ticks"]) > 0) return;
    await sleep(100, undefined, { signal: limit });
  }
}

/** Of any operator: each serves it. */
async function consoleUrl(stack: Stack, interrupted: AbortSignal): Promise<string> {
  const [operator = ""] = OPERATORS;
  const limit = AbortSignal.any([interrupted, AbortSignal.timeout(CONSOLE_LIMIT_MS)]);
  return awaitConsoleUrl({ directory: stack.directory, operator }, limit);
}

/** Draws until the time is up, the recorded day is over, or Ctrl-C. */
async function watch(
  { settings, stack, screen, interrupted }: Demo,
  database: Database,
  traffic: Traffic,
  footer: readonly string[],
): Promise<void> {
  const startedMs = performance.now();
  const ending = AbortSignal.any([
    interrupted,
    traffic.ended,
    ...(settings.seconds === undefined ? [] : [AbortSignal.timeout(settings.seconds * 1_000)]),
  ]);
  const intervalMs = process.stdout.isTTY ? SCREEN_INTERVAL_MS : PLAIN_INTERVAL_MS;
  while (!ending.aborted) {
    const elapsedSeconds = (performance.now() - startedMs) / 1_000;
    const picture = await gatherFleet({ kubectl: stack.api.kubectl, database, elapsedSeconds });
    if (ending.aborted) return;
    const rest =
      settings.seconds === undefined
        ? "Ctrl-C ends it"
        : `${settings.seconds - Math.round(elapsedSeconds)} s left`;
    const lines = [
      `city operator, ${Math.round(elapsedSeconds)} s, ${rest}`,
      "",
      ...formatFleet(picture),
      "",
      ...picture.events,
      "",
      ...footer,
    ];
    screen.draw(lines, summarizeFleet(picture));
    await sleep(intervalMs, undefined, { signal: ending }).catch(() => undefined);
  }
}

/** Audits what was committed and sums the run up. The exit code. */
async function conclude({ screen, settings }: Demo, database: Database, traffic: Traffic): Promise<number> {
  const report = await audit(database, AbortSignal.timeout(60_000));
  screen.line(`\n${formatAuditReport(report)}`);
  const summary = await traffic.summary();
  if (summary !== undefined) screen.line(summary);
  else if (settings.day !== undefined) {
    screen.line("the recorded day was ended before its end, so there is no summary of it");
  } else {
    const cities = await readCityTraffic(database, AbortSignal.timeout(5_000));
    const total = (count: (city: CityTrafficView) => number): number =>
      cities.reduce((sum, city) => sum + count(city), 0);
    screen.line(
      `${total((city) => city.delivered)} orders delivered, ${total((city) => city.openOrders)} open`,
    );
  }
  return report.isClean ? 0 : 1;
}

/** For another terminal: with the kubectl on PATH if there is one, else with the one that was built. */
function linesToCopy(stack: Stack, manifests: readonly CityManifest[]): readonly string[] {
  let kubectl = stack.api.kubectlPath;
  try {
    execFileSync("kubectl", ["version", "--client"], { stdio: "ignore" });
    kubectl = "kubectl";
  } catch {
    // There is none on PATH.
  }
  return [
    `KUBECONFIG=${stack.api.kubeconfigPath} ${kubectl} get cities`,
    `make explain CITY=${manifests[0]?.metadata.name} DATABASE_URL=${stack.urls.worker}`,
  ];
}

main().then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    process.stderr.write(`${failureText(error)}\n`);
    process.exitCode = 1;
  },
);
