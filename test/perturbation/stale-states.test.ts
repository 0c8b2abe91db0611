import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { setTimeout as sleep } from "node:timers/promises";
import { cityLeaseName, type Lease } from "../../crds/lease.ts";
import { startReplica, type ApiServerReplica } from "../../local/control-plane/replica.ts";
import { createKubeClient } from "../../runtime/kube/client.ts";
import type { KubeClient } from "../../runtime/kube/kube-api.ts";
import { LEASES } from "../../runtime/kube/resources.ts";
import { START_LIMIT_MS } from "../support/kube.ts";
import { recordingLog } from "../support/recording-log.ts";
import { createTcpProxy, type TcpProxy } from "../support/tcp-proxy.ts";
import { happensWithin } from "../support/until.ts";
import { composeClient } from "./harness/compose-client.ts";
import {
  expireLeadership,
  startMuteWorker,
  startOperator,
  startWorker,
  undisturbed,
  type RunningOperator,
  type RunningWorker,
  type Surroundings,
} from "./harness/processes.ts";
import type { Perturb } from "./harness/life.ts";
import { createUser, type User } from "./harness/user.ts";
import { startPerturbationWorld, type PerturbationWorld } from "./harness/world.ts";

/**
 * Two API servers on one etcd, one of which is cut off and shows a world that is gone (Sieve's time travel). An operator
 * that believes it leads, decides on it, and must do no harm.
 */

const SPEC = { period: "200ms", stallAfterTicks: 50 };
const STALE_MS = 6_000;
const LIMIT_MS = 30_000;
let world: PerturbationWorld;
let toEtcd: TcpProxy;
let lagging: ApiServerReplica;
let laggingClient: KubeClient;

beforeAll(async () => {
  world = await startPerturbationWorld();
  toEtcd = await createTcpProxy(world.api.instance.etcdPort);
  lagging = await startReplica({ of: world.api, name: "lagging", etcdPort: toEtcd.port });
  laggingClient = createKubeClient({ kubeconfig: { kind: "file", path: lagging.kubeconfigPath } });
}, START_LIMIT_MS);

afterAll(async () => {
  await laggingClient?.close();
  await lagging?.stop();
  await toEtcd?.close();
  await world?.stop();
}, 60_000);

/** What may not go back: per city the Lease, and the row of the fence. */
async function standing(surroundings: Surroundings, names: readonly string[]) {
  const { client, namespace, database } = surroundings;
  const leases = await Promise.all(
    names.map((name) =>
      client.get<Lease>(LEASES, { namespace, name: cityLeaseName(name) }, AbortSignal.timeout(5_000)),
    ),
  );
  const list = names.map((name) => JSON.stringify(name)).join();
  const fences = await database.sql(
    `SELECT city, epoch, token, holder FROM city_fence WHERE city IN (${list}) ORDER BY city`,
  );
  return {
    leases: leases.map((lease) => [
      lease?.metadata.name,
      lease?.metadata.resourceVersion,
      lease?.spec?.holderIdentity,
    ]),
    fences,
  };
}

test("an operator that leads on a world that is gone changes nothing, and recovers when it sees again", async () => {
  const prefix = world.nextPrefix();
  const surroundings = await world.surroundings(prefix);
  const user = createUser(surroundings);
  const names = ["moved", "suspended", "deleted", "edited"].map((role) => `${prefix}${role}`);
  const [moved, suspended, deleted, edited] = names as [string, string, string, string];
  const attempts: string[] = [];
  const accepted: string[] = [];
  const counting: Perturb = async ({ write, send }, signal) => {
    const what = `${write.kind} ${write.of}/${write.name}`;
    if (!write.isStatus) attempts.push(what);
    const answer = await send(signal);
    if (!write.isStatus) accepted.push(what);
    return answer;
  };
  const up = startOperator(surroundings);
  // The other replica: it sees through the lagging server, and writes where the load balancer sends it.
  const { log, entries } = recordingLog();
  const view = composeClient({ watches: laggingClient, others: world.client });
  const first = startWorker(surroundings, "first");
  const unclaimed = `${prefix}unclaimed`;
  const mute = [
    startMuteWorker(surroundings, "mute-1", "mute"),
    startMuteWorker(surroundings, "mute-2", "mute"),
  ] as const;
  const holder = async (): Promise<string | undefined> =>
    (await standing(surroundings, [unclaimed])).leases[0]?.[2];
  let other: RunningOperator | undefined;
  let second: RunningWorker | undefined;
  try {
    for (const name of names) await user.create(name, SPEC);
    // Never claimed, so that no fence tells of its moves: only the precondition protects it.
    await user.create(unclaimed, { ...SPEC, workerPool: "mute" });
    await allReady(user, names);
    await happensWithin(LIMIT_MS, "an unclaimed assignment", async () => (await holder()) !== undefined);
    const [from] = /^mute-[12]/.exec((await holder()) ?? "") ?? [];
    second = startWorker(surroundings, "second");
    other = startOperator(surroundings, { perturb: counting, view, log });
    await happensWithin(LIMIT_MS, "the view of the other replica", () => other?.isSynced() ?? false);

    toEtcd.freeze();
    await first.drain();
    await mute[from === "mute-1" ? 0 : 1].leave();
    await user.edit(suspended, { suspend: true });
    await user.edit(edited, { period: "300ms" });
    await user.remove(deleted);
    await happensWithin(LIMIT_MS, "the suspension", () => user.is(suspended, "Suspended"));
    await happensWithin(LIMIT_MS, "the deletion", async () => (await user.city(deleted)) === undefined);
    await allReady(user, [moved, edited]);
    await happensWithin(LIMIT_MS, "the move of the unclaimed City", async () => {
      const now = await holder();
      return now !== undefined && !now.startsWith(from ?? "");
    });
    up.life.end();
    await up.ended;
    const before = await standing(surroundings, [...names, unclaimed]);

    await expireLeadership(surroundings);
    await happensWithin(LIMIT_MS, "the lead on the old world", () =>
      entries.some(({ message }) => message === "leadership gained"),
    );
    await sleep(STALE_MS);
    expect(await standing(surroundings, [...names, unclaimed])).toEqual(before);
    expect(accepted).toEqual([]);
    // It did want to: in its world the first worker is gone and its cities are orphans.
    expect(attempts).not.toEqual([]);

    toEtcd.heal();
    await user.edit(suspended, { suspend: false });
    await user.edit(edited, { period: "250ms" });
    await allReady(user, [moved, suspended, edited]);
    expect(await user.city(deleted)).toBeUndefined();
  } finally {
    toEtcd.heal();
    await Promise.all([first.stop(), second?.stop(), ...mute.map((worker) => worker.leave())]);
    up.life.end();
    other?.life.end();
    await Promise.all([up.ended, other?.ended]);
  }
}, 180_000);

test("an operator that is started against the lagging server waits until it has a view", async () => {
  const prefix = world.nextPrefix();
  const surroundings = await world.surroundings(prefix);
  const user = createUser(surroundings);
  const city = `${prefix}alone`;
  const worker = startWorker(surroundings, "only");
  let restarted: RunningOperator | undefined;
  const up = startOperator(surroundings);
  try {
    await user.create(city, SPEC);
    await allReady(user, [city]);
    up.life.end();
    await up.ended;
    await expireLeadership(surroundings);
    toEtcd.freeze();
    const before = await standing(surroundings, [city]);
    const attempts: string[] = [];
    restarted = startOperator(surroundings, {
      view: laggingClient,
      perturb: async (call, signal) => {
        attempts.push(call.write.name);
        return undisturbed(call, signal);
      },
    });
    await sleep(STALE_MS);
    expect(attempts).toEqual([]);
    expect(await standing(surroundings, [city])).toEqual(before);
    toEtcd.heal();
    await user.edit(city, { period: "300ms" });
    await allReady(user, [city]);
  } finally {
    toEtcd.heal();
    await worker.stop();
    up.life.end();
    restarted?.life.end();
    await Promise.all([up.ended, restarted?.ended]);
  }
}, 120_000);

test("the auditor is content", async () => {
  await world.expectAuditClean();
}, 60_000);

async function allReady(user: User, names: readonly string[]): Promise<void> {
  await happensWithin(LIMIT_MS, `${names.join(", ")} Ready`, async () =>
    (await Promise.all(names.map((name) => user.is(name, "Ready")))).every(Boolean),
  );
}
