import { choose, exponential, randomStream, uniform, type Random } from "../../local/traffic/random.ts";
import type { Running } from "./cluster.ts";
import { forAWhile, type FaultKind } from "./fault-kind.ts";
import { ETCD_FAULTS, PEOPLE_FAULTS, SERVER_FAULTS } from "./server-faults.ts";
import type { World } from "./world.ts";

/**
 * What goes wrong in a run: each kind comes at random times, and picks its victims at random when it comes. A seed turns
 * some kinds on and others off, because what all faults at once drown, a few alone bring to light.
 */

export type Fault = { readonly atMs: number; readonly kind: string; readonly number: number };

const SHORT = { min: 100, max: 20_000 };
const LONG = { min: 1_000, max: 90_000 };

const anyProcess = (world: World, random: Random): Running | undefined => choose(random, world.processes);

const tell = (world: World, running: Running, what: string): void => {
  world.chronicle.note("fault", `${running.process.name} ${what}`);
};

function cut(world: World, random: Random, ways: readonly ("api" | "mysql")[]): void {
  const running = anyProcess(world, random);
  if (running === undefined) return;
  const how = random() < 0.6 ? "silent" : "refusing";
  tell(world, running, `is cut off from ${ways.join(" and ")} (${how})`);
  for (const way of ways) running[way].cut(how);
  forAWhile(world, random, LONG, () => {
    tell(world, running, `is back at ${ways.join(" and ")}`);
    for (const way of ways) running[way].heal();
  });
}

const PROCESS_FAULTS: Readonly<Record<string, FaultKind>> = {
  crash(world, random) {
    const running = anyProcess(world, random);
    if (running === undefined) return;
    tell(world, running, "is killed");
    world.clusters.find(({ running: all }) => all.get(running.pod) === running)?.kill(running);
  },
  freeze(world, random) {
    const running = anyProcess(world, random);
    if (running === undefined) return;
    tell(world, running, "is frozen");
    running.process.stop();
    world.hasStoppedProcesses = true;
    forAWhile(world, random, LONG, () => {
      tell(world, running, "thaws");
      running.process.thaw();
    });
  },
  restart(world, random) {
    const running = anyProcess(world, random);
    if (running === undefined) return;
    tell(world, running, "gets a SIGTERM");
    running.terminate();
  },
  scale(world, random) {
    const cluster = world.authority;
    const workers = [...cluster.wanted].filter(([, role]) => role === "worker").map(([pod]) => pod);
    if (workers.length > 1 && random() < 0.5) {
      const pod = choose(random, workers);
      if (pod === undefined) return;
      world.chronicle.note("fault", `${pod} is scaled away`);
      cluster.unwant(pod);
    } else if (workers.length < world.shape.workers + 2) {
      const pod = `${cluster.name}-x${Math.floor(random() * 1_000_000)}`;
      world.chronicle.note("fault", `${pod} is added`);
      cluster.want(pod, "worker");
    }
  },
  "cut-api": (world, random) => cut(world, random, ["api"]),
  "cut-mysql": (world, random) => cut(world, random, ["mysql"]),
  "cut-all": (world, random) => cut(world, random, ["api", "mysql"]),
  slow(world, random) {
    const running = anyProcess(world, random);
    if (running === undefined) return;
    const slowMs = uniform(random, { min: 20, max: 3_000 }) * random();
    const way = choose(random, ["api", "mysql"] as const) ?? "api";
    tell(world, running, `has a slow way to ${way} (${Math.round(slowMs)} ms)`);
    running[way].faults.slowMs = slowMs;
    forAWhile(world, random, LONG, () => (running[way].faults.slowMs = 0));
  },
  lossy(world, random) {
    const running = anyProcess(world, random);
    if (running === undefined) return;
    const way = choose(random, ["api", "mysql"] as const) ?? "api";
    tell(world, running, `has a lossy way to ${way}`);
    Object.assign(running[way].faults, {
      lostRequests: 0.4 * random(),
      lostAnswers: 0.6 * random(),
      doubledRequests: 0.4 * random(),
    });
    forAWhile(world, random, LONG, () => {
      Object.assign(running[way].faults, { lostRequests: 0, lostAnswers: 0, doubledRequests: 0 });
    });
  },
  refusals(world, random) {
    const running = anyProcess(world, random);
    if (running === undefined) return;
    tell(world, running, "is refused by the API server now and then");
    running.api.faults.refused = 0.6 * random();
    forAWhile(world, random, LONG, () => (running.api.faults.refused = 0));
  },
  "broken-watches"(world, random) {
    const running = anyProcess(world, random);
    if (running === undefined) return;
    tell(world, running, "loses its watches");
    for (const stream of running.api.streams) stream.break();
  },
  "mute-watches"(world, random) {
    const running = anyProcess(world, random);
    if (running === undefined) return;
    tell(world, running, "has watches that fell silent");
    for (const stream of running.api.streams) if (random() < 0.7) stream.mute();
  },
  "clock-jump"(world, random) {
    const running = anyProcess(world, random);
    if (running === undefined) return;
    tell(world, running, "has its wall clock set");
    running.process.jumpWall(uniform(random, { min: -3_600_000, max: 3_600_000 }) * random() ** 3);
  },
  overruns(world, random) {
    const running = anyProcess(world, random);
    if (running === undefined) return;
    tell(world, running, "has a dispatcher that overruns");
    running.overrun(random());
    forAWhile(world, random, SHORT, () => running.overrun(0));
  },
};

export const FAULTS: Readonly<Record<string, FaultKind>> = {
  ...PROCESS_FAULTS,
  ...SERVER_FAULTS,
  ...ETCD_FAULTS,
  ...PEOPLE_FAULTS,
};

/** Mean time between two faults of one kind. */
const INTERVAL_MS = 90_000;
const RARE: ReadonlySet<string> = new Set(["second-cluster", "etcd-restored", "etcd-rollback", "fail-over"]);
const KIND_SHARE = 0.5;

export type FaultChoice = {
  /** Kinds to leave out. */
  readonly without?: ReadonlySet<string>;
};

/** The faults of a seed, in the order of their times. */
export function planFaults(seed: number, forMs: number, choice: FaultChoice = {}): readonly Fault[] {
  const faults: Fault[] = [];
  for (const kind of Object.keys(FAULTS)) {
    // A stream for each kind, so that leaving one out changes nothing of the others.
    const random = randomStream(seed, "faults", kind);
    const isOn = random() < KIND_SHARE && choice.without?.has(kind) !== true;
    const intervalMs = INTERVAL_MS * (0.3 + 2 * random()) * (RARE.has(kind) ? 4 : 1);
    const untilMs = isOn ? forMs : 0;
    let number = 0;
    for (
      let atMs = exponential(random, intervalMs);
      atMs < untilMs;
      atMs += exponential(random, intervalMs)
    ) {
      faults.push({ atMs, kind, number: number++ });
    }
  }
  return faults.sort((left, right) => left.atMs - right.atMs);
}

/** Schedules the faults from now on. */
export function schedule(world: World, faults: readonly Fault[]): void {
  for (const { atMs, kind, number } of faults) {
    world.time.after(atMs, () => {
      const random = randomStream(world.seed, "fault", kind, number);
      void Promise.resolve(FAULTS[kind]?.(world, random)).catch((error: unknown) => {
        world.chronicle.violate(`the simulation itself failed in ${kind}: ${String((error as Error).stack)}`);
      });
    });
  }
}
