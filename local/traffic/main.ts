import { readSslSettings, type SslSettings } from "../../db/connection-options.ts";
import { openDatabase } from "../../db/pool.ts";
import { systemClock } from "../../runtime/clock.ts";
import { EnvironmentReader, type ChangingText } from "../../runtime/environment.ts";
import { OperationalError } from "../../runtime/errors.ts";
import { createLog, type Log } from "../../runtime/log.ts";
import { exitOnFailure, shutdownSignals } from "../../runtime/shutdown.ts";
import { runCityTraffic } from "./city-traffic.ts";
import { createFeed, type Feed } from "./feed.ts";
import { readMdrpDay } from "./mdrplib.ts";
import { untilAnswered, type PersistenceInput } from "./persistence.ts";
import { recordedScript, RECORDED_SPEED } from "./recorded-day.ts";
import { readRecordedSummary } from "./summary.ts";
import { SYNTHETIC_START_MS, syntheticScript } from "./synthetic.ts";
import { DEMO_SPEED, syntheticCity } from "./synthetic-city.ts";

/**
 * The process of the company's own services: made-up cities without an end, or one recorded day, which ends by itself with
 * one line of JSON on standard output: `{"summary": …}`.
 */

const DEFAULT_CITIES = "madrid,paris,london,berlin,lisbon";
const SPEED_MAX = 1_000;
const SEED_MAX = 2 ** 31;
const CONNECTIONS = { perCity: 2, max: 40 };
/** A server that does not answer must not hold up the end. */
const END_LIMIT_MS = 800;

type Settings = {
  readonly feedUrl: ChangingText;
  readonly ssl: SslSettings;
  readonly play: { readonly kind: "synthetic"; readonly cities: readonly string[] } | RecordedPlay;
  readonly speed: number;
  readonly seed: number;
  readonly logLevel: string;
};

type RecordedPlay = { readonly kind: "recorded"; readonly folder: string; readonly city: string };

function readEnvironment(): Settings {
  const environment = new EnvironmentReader(process.env);
  const feedUrl = environment.secret(
    "FEED_URL",
    "the feed account's URL, such as mysql://user:password@host:3306/dispatch",
  );
  const folder = environment.optional("DAY");
  const play: Settings["play"] =
    folder === undefined
      ? { kind: "synthetic", cities: environment.parsed("CITIES", DEFAULT_CITIES.split(","), parseCities) }
      : {
          kind: "recorded",
          folder,
          city: environment.text("CITY", "the name of the City that plays the day"),
        };
  const settings = {
    feedUrl,
    ssl: readSslSettings(environment),
    play,
    speed: environment.parsed("SPEED", folder === undefined ? DEMO_SPEED : RECORDED_SPEED, parseSpeed),
    seed: environment.integer("SEED", { min: 0, max: SEED_MAX }, Math.floor(Math.random() * SEED_MAX)),
    logLevel: environment.oneOf("LOG_LEVEL", ["debug", "info", "warn", "error"], "info"),
  };
  environment.finish();
  return settings;
}

function parseCities(text: string): readonly string[] {
  const cities = text.split(",").map((city) => city.trim());
  const isPlain = cities.every((city) => /^[a-z0-9]([-.a-z0-9]*[a-z0-9])?$/.test(city));
  if (isPlain && new Set(cities).size === cities.length) return cities;
  throw new RangeError(
    `${JSON.stringify(text)} is not a list of different Cities, write one such as "madrid,paris"`,
  );
}

function parseSpeed(text: string): number {
  const speed = Number(text);
  if (speed > 0 && speed <= SPEED_MAX) return speed;
  throw new RangeError(`${JSON.stringify(text)} is not a number above 0 and up to ${SPEED_MAX}, such as 20`);
}

async function playSynthetic(
  input: {
    readonly settings: Settings;
    readonly cities: readonly string[];
    readonly feed: Feed;
    readonly log: Log;
  },
  signal: AbortSignal,
): Promise<void> {
  const { settings, feed, log } = input;
  const { speed, seed } = settings;
  // Orders of an earlier process are closed, never met again.
  const orderPrefix = `${Math.floor(systemClock.wallMs() / 1_000).toString(36)}-`;
  const failing = new AbortController();
  const either = AbortSignal.any([signal, failing.signal]);
  const playCity = async (name: string): Promise<void> => {
    try {
      const { orders } = await feed.endEarlierRun(name, either);
      if (orders > 0) log.info({ city: name, count: orders }, "orders of an earlier process closed");
      const script = syntheticScript({
        city: syntheticCity(name),
        seed,
        startMs: SYNTHETIC_START_MS,
        orderPrefix,
      });
      await runCityTraffic({ city: name, script, speed, feed, clock: systemClock, log }, either);
    } catch (error) {
      failing.abort(error);
      throw error;
    }
  };
  const outcomes = await Promise.allSettled(input.cities.map(playCity));
  signal.throwIfAborted();
  // The first city that failed is the reason of all.
  if (outcomes.some(({ status }) => status === "rejected")) throw failing.signal.reason as Error;
}

async function playRecorded(
  input: { readonly settings: Settings; readonly play: RecordedPlay; readonly feed: Feed; readonly log: Log },
  signal: AbortSignal,
): Promise<void> {
  const { settings, play, feed, log } = input;
  const script = recordedScript(await readMdrpDay(play.folder));
  if (await feed.hasOrders(play.city, signal)) {
    throw new OperationalError({
      code: "city-in-use",
      remedy: "give-up",
      message: `the database has orders of city ${play.city} already: a recorded day needs a city of its own, choose another CITY`,
    });
  }
  const { city } = play;
  await runCityTraffic({ city, script, speed: settings.speed, feed, clock: systemClock, log }, signal);
}

async function main(): Promise<void> {
  const settings = readEnvironment();
  const { play, seed, speed } = settings;
  const log = createLog({ process: "traffic", level: settings.logLevel });
  const stop = shutdownSignals(process, log).draining;
  stop.addEventListener("abort", () => {
    setTimeout(() => process.exit(0), END_LIMIT_MS).unref();
  });
  log.info({ seed, speed }, "traffic started");
  const cityCount = play.kind === "synthetic" ? play.cities.length : 1;
  const database = openDatabase({
    url: settings.feedUrl,
    ssl: settings.ssl,
    connectionsMax: Math.min(CONNECTIONS.max, CONNECTIONS.perCity * (1 + cityCount)),
    log,
    clock: systemClock,
  });
  const persistence: PersistenceInput = { clock: systemClock, log, random: Math.random };
  const feed = createFeed({ ...persistence, database });
  try {
    if (play.kind === "synthetic") await playSynthetic({ settings, cities: play.cities, feed, log }, stop);
    else {
      await playRecorded({ settings, play, feed, log }, stop);
      const day = { city: play.city, speed };
      const summary = await untilAnswered(
        persistence,
        (limited) => readRecordedSummary(database, day, limited),
        stop,
      );
      process.stdout.write(`${JSON.stringify({ summary })}\n`);
    }
  } catch (error) {
    if (!stop.aborted) throw error;
  } finally {
    await database.close();
  }
  log.info({}, "traffic ended");
}

exitOnFailure(process, main());
