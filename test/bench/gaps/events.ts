import { setTimeout as sleep } from "node:timers/promises";
import type { Lease } from "../../../crds/lease.ts";
import type { Child } from "../../../local/process/child.ts";
import { LEASES, PODS } from "../../../runtime/kube/resources.ts";
import { happensWithin } from "../../support/until.ts";
import type { BenchFleet, BenchWorker } from "./fleet.ts";
import type { Bound } from "./report.ts";
import type { LinkFault } from "../../support/faulty-link.ts";

/** An event, what the design promises of it, and how it is made to happen. */
export type GapEvent = {
  readonly name: string;
  readonly bound: (facts: EventFacts) => Bound;
  /** Returns when all is over. */
  run(fleet: BenchFleet): Promise<EventFacts>;
};

export type EventFacts = {
  /** Cities that were struck. */
  readonly affected: readonly string[];
  /** When it began, on the database's clock. */
  readonly sinceMs: number;
  /** How long it really lasted, for what is measured beside an outage. */
  readonly outageMs?: number;
};

export const PERIOD_MS = 1_000;
export const HEARTBEAT_INTERVAL_MS = 1_000;

/** Rows 1 and 2 of the design's section 8. */
const KILLED_IN_POD: Bound = {
  gapMs: { of: "p99", limitMs: PERIOD_MS + 1_500, formula: "period + 1.5 s" },
};
const SILENT: Bound = {
  gapMs: {
    of: "max",
    limitMs: PERIOD_MS + 3 * HEARTBEAT_INTERVAL_MS + 1_000,
    formula: "period + 3 heartbeats + 1 s",
  },
};
/** Until it counts as stalled, what the progress reader may be late by, and the move of a worker that lives. */
const STALLED: Bound = {
  gapMs: {
    of: "max",
    limitMs: 3 * PERIOD_MS + 2_000 + PERIOD_MS + 1_500,
    formula: "3 periods + 2 s, then period + 1.5 s",
  },
};
const UNNOTICED: Bound = { missedMax: 0, movesMax: 0 };
const PLANNED: Bound = { missedMax: 0, movesMax: 2 };

/** A killed container shows on a Pod watch after 0.5 to 1.0 s. */
const KUBELET_DELAY_MS = 700;
const OUTAGE_MS = 60_000;
const DATABASE_OUTAGE_MS = 30_000;
const FREEZE_MS = 20_000;
const AFTERMATH_MS = 5_000;
const RECOVERY_LIMIT_MS = 60_000;
const LEADER_LIMIT_MS = 15_000;
const never = new AbortController().signal;

export const EVENTS: readonly GapEvent[] = [
  { name: "rolling restart of every worker", bound: () => PLANNED, run: rollingRestart },
  {
    name: "scale-down by one worker",
    bound: () => PLANNED,
    run: (fleet) => strike(fleet, {}, (victim) => fleet.retire(victim)),
  },
  {
    name: "scale-up by one worker",
    bound: () => PLANNED,
    run: (fleet) =>
      strikeAll(fleet, async () => {
        await fleet.startWorker();
        await sleep(20_000);
      }),
  },
  {
    name: "worker SIGKILL, no Pod to tell",
    bound: () => SILENT,
    run: (fleet) => strike(fleet, {}, async ({ child }) => child.signal("SIGKILL")),
  },
  { name: "worker SIGKILL in a Pod", bound: () => KILLED_IN_POD, run: killInPod },
  {
    name: "worker SIGSTOP for 20 s",
    bound: () => SILENT,
    run: (fleet) =>
      strike(fleet, {}, async ({ child }) => {
        child.signal("SIGSTOP");
        await sleep(FREEZE_MS);
        child.signal("SIGCONT");
      }),
  },
  partition("API server", UNNOTICED, ({ api }) => [api]),
  partition("MySQL", STALLED, ({ mysql }) => [mysql]),
  partition("both", SILENT, ({ api, mysql }) => [api, mysql]),
  { name: "leading operator SIGKILL", bound: () => UNNOTICED, run: (fleet) => endLeader(fleet, "SIGKILL") },
  { name: "leading operator SIGTERM", bound: () => UNNOTICED, run: (fleet) => endLeader(fleet, "SIGTERM") },
  {
    name: "API server down for 60 s",
    bound: () => UNNOTICED,
    run: (fleet) =>
      strikeAll(fleet, async () => {
        await fleet.product.stack.api.killApiServer();
        await sleep(OUTAGE_MS);
        await fleet.product.stack.api.restartApiServer();
      }),
  },
  {
    name: "MySQL killed, down for 30 s",
    bound: ({ outageMs = 0 }) => ({
      // One period before it, one of back-off after it, and what 200 cities that come back at once wait for each other.
      gapMs: { of: "max", limitMs: outageMs + 2 * PERIOD_MS + 1_000, formula: "outage + 2 periods + 1 s" },
      movesMax: 0,
    }),
    run: (fleet) =>
      strikeAll(fleet, async () => {
        await fleet.product.mysql.kill();
        await sleep(DATABASE_OUTAGE_MS);
        await fleet.product.mysql.restart();
      }),
  },
];

/** Something befalls one worker and its cities. */
async function strike(
  fleet: BenchFleet,
  traits: Parameters<BenchFleet["victim"]>[0],
  act: (victim: BenchWorker) => Promise<void>,
): Promise<EventFacts> {
  const victim = await fleet.victim(traits);
  const affected = await fleet.citiesOf(victim);
  if (affected.length === 0) throw new Error(`${victim.name} holds no city`);
  const facts = { affected, sinceMs: await fleet.product.databaseTimeMs() };
  await act(victim);
  await fleet.awaitAllTicking(RECOVERY_LIMIT_MS);
  await sleep(AFTERMATH_MS);
  return facts;
}

/** Something befalls all of them. */
async function strikeAll(fleet: BenchFleet, act: () => Promise<void>): Promise<EventFacts> {
  const sinceMs = await fleet.product.databaseTimeMs();
  const startedMs = performance.now();
  await act();
  const outageMs = performance.now() - startedMs;
  await fleet.awaitAllTicking(RECOVERY_LIMIT_MS);
  await sleep(AFTERMATH_MS);
  return { affected: fleet.cities, sinceMs, outageMs };
}

/** As a Deployment does it: the successor is up before the next one is asked to go. */
async function rollingRestart(fleet: BenchFleet): Promise<EventFacts> {
  return strikeAll(fleet, async () => {
    fleet.release();
    for (const worker of fleet.workers) {
      await fleet.startWorker();
      await fleet.retire(worker);
    }
  });
}

async function killInPod(fleet: BenchFleet): Promise<EventFacts> {
  return strike(fleet, { inPod: true }, async ({ name, child }) => {
    child.signal("SIGKILL");
    await sleep(KUBELET_DELAY_MS);
    const state = {
      terminated: { exitCode: 137, finishedAt: new Date().toISOString().replace(/\.[0-9]+Z$/, "Z") },
    };
    const container = { name: "worker", image: "worker", imageID: "", ready: false, restartCount: 0, state };
    await fleet.product.kube.patch(
      PODS,
      { name, namespace: "default" },
      { status: { containerStatuses: [container] } },
      never,
      { subresource: "status" },
    );
  });
}

/** One worker's packets to and from somebody vanish for a minute; nobody is told. */
function partition(
  from: string,
  bound: Bound,
  linksOf: (links: NonNullable<BenchWorker["links"]>) => readonly { fail(fault: LinkFault): void }[],
): GapEvent {
  return {
    name: `worker cut off from ${from} for 60 s`,
    bound: () => bound,
    run: (fleet) =>
      strike(fleet, { linked: true }, async ({ links }) => {
        for (const link of linksOf(links!)) link.fail({ kind: "swallow" });
        await sleep(OUTAGE_MS);
        links!.heal();
      }),
  };
}

async function endLeader(fleet: BenchFleet, signal: NodeJS.Signals): Promise<EventFacts> {
  const { product } = fleet;
  const former = await leader(fleet);
  const pod = former.replace(/-[0-9a-f]+$/, "");
  const facts = await strikeAll(fleet, async () => {
    const child: Child = product.stack.processes.get(pod)!;
    child.signal(signal);
    await child.exited;
    await happensWithin(LEADER_LIMIT_MS, "another leader", async () => {
      const now = await leader(fleet);
      return now !== "" && now !== former;
    });
    await sleep(AFTERMATH_MS);
  });
  product.stack.startOperator(pod);
  return facts;
}

async function leader({ product }: BenchFleet): Promise<string> {
  const lease = await product.kube.get<Lease>(
    LEASES,
    { namespace: "default", name: "dispatch-operator" },
    never,
  );
  return lease?.spec?.holderIdentity ?? "";
}
