import { startTraffic } from "../../local/demo/traffic.ts";
import { EnvironmentReader } from "../../runtime/environment.ts";
import { failureText } from "../../runtime/shutdown.ts";
import type { Stack } from "../../local/stack/stack.ts";
import { startProduct, type Product } from "../support/product.ts";
import { People } from "./cities.ts";
import { carryOut, type World } from "./faults.ts";
import { labelOf, planFaults, type PlannedFault } from "./plan.ts";
import { Place } from "./processes.ts";
import { formatCheck, judge, type Check, type Figures } from "./verdict.ts";

/**
 * `make chaos`: the whole product as real processes on a network that fails, while they are killed, frozen and replaced;
 * then the tables are held against the invariants and against what each worker was told. See docs/chaos.md.
 */

const WORKERS = ["worker-1", "worker-2", "worker-3", "worker-4"];
const OPERATORS = ["operator-1", "operator-2"];
const STEADY_CITIES = Array.from({ length: 16 }, (_, index) => `steady-${index + 1}`);
/** People suspend and delete these. */
const FICKLE_CITIES = Array.from({ length: 4 }, (_, index) => `fickle-${index + 1}`);
const CITIES = [...STEADY_CITIES, ...FICKLE_CITIES];
/** Orders come and go in these. */
const BUSY_CITIES = STEADY_CITIES.slice(0, 4);
const PERIOD = "1s";
const SEED_MAX = 2 ** 31;
const MINUTE_MS = 60_000;
/**
 * From the last healing until every city has committed: a new leader (5 s), three silent heartbeats (3 s), the hold after a
 * mass failure (10 s), the patience with a city that stalled several times in a row (24 s), and what two cores need.
 */
const RECOVERY_LIMIT_MS = 60_000;
const TRAFFIC_SPEED = 10;

function readSettings() {
  const environment = new EnvironmentReader(process.env);
  const settings = {
    minutes: environment.parsed("MINUTES", 2, positive),
    seed: environment.integer("SEED", { min: 0, max: SEED_MAX }, Math.floor(Math.random() * SEED_MAX)),
  };
  environment.finish();
  return settings;
}

function positive(text: string): number {
  const value = Number(text);
  if (value > 0) return value;
  throw new RangeError(`${JSON.stringify(text)} is not a number above 0, such as 30`);
}

async function main(): Promise<number> {
  const { minutes, seed } = readSettings();
  const interrupted = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const)
    process.on(signal, () => {
      interrupted.abort(new Error(`ended by ${signal}`));
    });
  const plan = planFaults({
    seed,
    durationMs: minutes * MINUTE_MS,
    workers: WORKERS,
    operators: OPERATORS,
    cities: FICKLE_CITIES,
  });
  line(`seed ${seed}, ${plan.length} faults; the same again: make chaos MINUTES=${minutes} SEED=${seed}`);
  const places = new Map<string, Place>();
  const product = await startProduct({
    cities: CITIES,
    period: PERIOD,
    // Quick to take over, so that more of what is late meets a successor.
    settings: { heartbeatInterval: "500ms" },
    launch: (stack) => fill(places, stack),
    signal: interrupted.signal,
  });
  try {
    return await run({ product, places, plan, seed, interrupted: interrupted.signal });
  } finally {
    for (const place of places.values()) {
      place.close();
      await place.links.close();
    }
    await product.stop();
  }
}

async function fill(places: Map<string, Place>, stack: Stack): Promise<void> {
  for (const name of OPERATORS) places.set(name, await Place.open(stack, "operator", name));
  for (const name of WORKERS) places.set(name, await Place.open(stack, "worker", name));
}

async function run(input: {
  readonly product: Product;
  readonly places: ReadonlyMap<string, Place>;
  readonly plan: readonly PlannedFault[];
  readonly seed: number;
  readonly interrupted: AbortSignal;
}): Promise<number> {
  const { product, places, plan, seed, interrupted } = input;
  const people = new People(product, PERIOD);
  const world: World = { product, places, people, narrate: narratorFrom(performance.now()) };
  const traffic = startTraffic({
    stack: product.stack,
    cities: BUSY_CITIES,
    day: undefined,
    speed: TRAFFIC_SPEED,
    seed,
  });
  const checks: Check[] = [];
  try {
    checks.push(
      await checked("every fault was carried out and undone", () => carryOut(world, plan, interrupted)),
    );
    interrupted.throwIfAborted();
    checks.push({
      title: "no process ended by itself",
      violations: [...places.values()].flatMap(({ crashes }) => crashes),
    });
    checks.push(
      await checked(`every city commits again within ${RECOVERY_LIMIT_MS / 1_000} s`, () =>
        recover(world, interrupted),
      ),
    );
  } finally {
    await traffic.stop();
  }
  const verdict = await judge({ product, people, steadyCities: STEADY_CITIES });
  checks.push(...verdict.checks);
  line("");
  line(formatSummary(plan, verdict.figures));
  for (const check of checks) line(formatCheck(check));
  const failed = checks.filter(({ violations }) => violations.length > 0).length;
  if (failed > 0) {
    line(`seed ${seed}; the logs are in ${await product.keepLogs(`chaos-${seed}`)}`);
  }
  line(`${checks.length - failed} passed, ${failed} failed`);
  return failed === 0 ? 0 : 1;
}

async function recover({ product, narrate }: World, interrupted: AbortSignal): Promise<void> {
  narrate("all is healed");
  const startedMs = performance.now();
  await product.awaitTicks(CITIES, await product.databaseTimeMs(), RECOVERY_LIMIT_MS);
  interrupted.throwIfAborted();
  narrate(`every city committed within ${((performance.now() - startedMs) / 1_000).toFixed(1)} s`);
}

async function checked(title: string, work: () => Promise<void>): Promise<Check> {
  try {
    await work();
    return { title, violations: [] };
  } catch (error) {
    const errors: readonly unknown[] = error instanceof AggregateError ? error.errors : [error];
    return { title, violations: errors.map(failureText) };
  }
}

function formatSummary(plan: readonly PlannedFault[], figures: Figures): string {
  const kinds = [...Map.groupBy(plan, labelOf)]
    .toSorted(([left], [right]) => (left < right ? -1 : 1))
    .map(([label, faults]) => `${label} ${faults.length}`);
  const { ticks, decisions, claims, moves, acknowledged, fenced, unknown, promises, worstGapMs } = figures;
  return [
    `${plan.length} faults: ${kinds.join(", ")}`,
    `${ticks} ticks with ${decisions} decisions, ${claims} claims, ${moves} moves; worst gap ${(worstGapMs / 1_000).toFixed(1)} s`,
    `answers: ${acknowledged} committed, ${fenced} fenced, ${unknown} stayed unknown; silence promised ${promises} times`,
  ].join("\n");
}

function narratorFrom(startedMs: number): (text: string) => void {
  return (text) => {
    line(`${((performance.now() - startedMs) / 1_000).toFixed(1).padStart(7)} s  ${text}`);
  };
}

function line(text: string): void {
  process.stdout.write(`${text}\n`);
}

main().then(
  (code) => process.exit(code),
  (error: unknown) => {
    process.stderr.write(`${failureText(error)}\n`);
    process.exit(1);
  },
);
