import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { EnvironmentReader } from "../../runtime/environment.ts";
import { exitOnFailure } from "../../runtime/shutdown.ts";
import { freshDatabase, startTestMysql, type TestDatabase, type TestMysql } from "../support/mysql.ts";
import { batchOf, cityOf, fillCities, forgetAssignments } from "./commit/data.ts";
import { METHODS, type Method } from "./commit/methods.ts";
import { formatTable, missedTargets, TARGETS, type Measured } from "./commit/report.ts";
import { MACHINE, writeResults } from "./output.ts";

/**
 * `make bench-commit`: what the fence costs. The decisions of a tick written by the fenced commit, and by what people would
 * otherwise use, on a real MySQL with durable commits. Prints a Markdown table, writes all samples to
 * `out/bench/commit.json`, and ends with 1 when a target was missed. See docs/fenced-commit.md.
 */

const ROUND_TRIPS_MS = [0, 1, 5];
const CONNECTIONS = [1, 8, 32];
const DECISIONS = [1, 20, 100];
const WARM_UP_COMMITS = 5;

type Settings = { readonly commits: number; readonly rounds: number; readonly only: string };
type Situation = Pick<Measured, "roundTripMs" | "connections" | "decisions">;

function readSettings(): Settings {
  const environment = new EnvironmentReader(process.env);
  const settings = {
    commits: environment.integer("COMMITS", { min: 1, max: 10_000 }, 100),
    rounds: environment.integer("ROUNDS", { min: 1, max: 100 }, 5),
    only: environment.text("ONLY", "round trip, connections and decisions, such as '0 1 20'", ""),
  };
  environment.finish();
  return settings;
}

/** Of all connections together. */
function commitsPerConnection(connections: number, { commits }: Settings): number {
  return WARM_UP_COMMITS + Math.ceil(commits / connections);
}

/** One method at a time, each round in another order, so that whatever else the machine does strikes all alike. */
async function measure(
  db: TestDatabase,
  situation: Situation,
  port: number,
  settings: Settings,
): Promise<readonly Measured[]> {
  const rows = METHODS.map(({ name, roundTrips }) => ({
    method: name,
    roundTrips,
    ...situation,
    tookMs: [] as number[],
    perSecond: [] as number[],
  }));
  for (let round = 0; round < settings.rounds; round++) {
    for (let turn = 0; turn < METHODS.length; turn++) {
      const index = (turn + round) % METHODS.length;
      const method = METHODS[index];
      const row = rows[index];
      if (method === undefined || row === undefined) continue;
      await forgetAssignments(db);
      const { tookMs, perSecond } = await run(db, method, situation, port, settings);
      row.tookMs.push(...tookMs);
      row.perSecond.push(perSecond);
    }
  }
  return rows;
}

async function run(
  db: TestDatabase,
  method: Method,
  { connections, decisions }: Situation,
  port: number,
  settings: Settings,
): Promise<{ readonly tookMs: readonly number[]; readonly perSecond: number }> {
  const cities = Array.from({ length: connections }, (_, connection) => cityOf(connection));
  const writers = await Promise.all(cities.map(async (city) => method.open({ db, city, port })));
  const commits = commitsPerConnection(connections, settings);
  const each = async (first: number, last: number, note: (tookMs: number) => void): Promise<void> => {
    await Promise.all(
      writers.map(async (writer, connection) => {
        for (let number = first; number < last; number++) {
          const batch = batchOf(cityOf(connection), number, decisions);
          const startedMs = performance.now();
          await writer.write(batch);
          note(performance.now() - startedMs);
        }
      }),
    );
  };
  await each(0, WARM_UP_COMMITS, () => undefined);
  const tookMs: number[] = [];
  const startedMs = performance.now();
  await each(WARM_UP_COMMITS, commits, (one) => tookMs.push(one));
  const perSecond = (tookMs.length * 1_000) / (performance.now() - startedMs);
  await Promise.all(writers.map(async (writer) => writer.close()));
  return { tookMs, perSecond };
}

/** The port to MySQL with such a round trip, and what to end afterwards. */
async function wayTo(
  server: TestMysql,
  roundTripMs: number,
): Promise<{ readonly port: number; readonly relay: ChildProcess | undefined }> {
  if (roundTripMs === 0) return { port: server.port, relay: undefined };
  const relay = fork(new URL("commit/relay.ts", import.meta.url), {
    env: { ...process.env, TARGET_PORT: String(server.port), ROUND_TRIP_MS: String(roundTripMs) },
  });
  const [port] = (await once(relay, "message")) as [number];
  return { port, relay };
}

async function main(): Promise<number> {
  const settings = readSettings();
  const server = await startTestMysql();
  const rows: Measured[] = [];
  try {
    const db = await freshDatabase(server);
    const ordersOf = new Map<string, number>();
    for (const connections of CONNECTIONS) {
      const orders = commitsPerConnection(connections, settings) * Math.max(...DECISIONS);
      for (let connection = 0; connection < connections; connection++) {
        const city = cityOf(connection);
        ordersOf.set(city, Math.max(orders, ordersOf.get(city) ?? 0));
      }
    }
    await fillCities(db, ordersOf);
    for (const roundTripMs of ROUND_TRIPS_MS) {
      const { port, relay } = await wayTo(server, roundTripMs);
      for (const connections of CONNECTIONS) {
        for (const decisions of DECISIONS) {
          if (!`${roundTripMs} ${connections} ${decisions}`.includes(settings.only)) continue;
          const measured = await measure(db, { roundTripMs, connections, decisions }, port, settings);
          rows.push(...measured);
          process.stderr.write(`${formatTable(measured, METHOD_NAMES).split("\n").at(-1) ?? ""}\n`);
        }
      }
      relay?.disconnect();
    }
    await db.close();
  } finally {
    await server.close();
  }
  await writeResults("commit", { settings, rows });
  process.stdout.write(
    `\n${MACHINE.cpu}, ${MACHINE.cores} cores, Node ${process.versions.node}; ${settings.rounds} rounds of ${settings.commits} commits\n\n${formatTable(rows, METHOD_NAMES)}\n\n`,
  );
  const missed = missedTargets(rows, TARGETS);
  process.stdout.write(missed.length === 0 ? "all targets met\n" : `${missed.join("\n")}\n`);
  return missed.length === 0 ? 0 : 1;
}

const METHOD_NAMES = METHODS.map(({ name }) => name);

exitOnFailure(
  process,
  main().then((code) => process.exit(code)),
);
