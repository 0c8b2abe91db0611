import { CITIES } from "../../crds/city.ts";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { setTimeout as sleep } from "node:timers/promises";
import { ensureEtcdTools, type EtcdTools } from "../../local/control-plane/etcd-tools.ts";
import { startReplica } from "../../local/control-plane/replica.ts";
import { createKubeClient } from "../../runtime/kube/client.ts";
import { START_LIMIT_MS } from "../support/kube.ts";
import { recordingLog } from "../support/recording-log.ts";
import { createTcpProxy } from "../support/tcp-proxy.ts";
import { happensWithin } from "../support/until.ts";
import { readEnd } from "./harness/end-state.ts";
import { composeClient } from "./harness/compose-client.ts";
import { startOperator, startWorker, type Surroundings } from "./harness/processes.ts";
import { createUser } from "./harness/user.ts";
import { WatchGate } from "./harness/watch-gate.ts";
import { startPerturbationWorld, type PerturbationWorld } from "./harness/world.ts";

/** What an operator is never shown, or shown late, may delay what it does; it never changes what comes of it. */

const SPEC = { period: "200ms", stallAfterTicks: 50 };
const UNSEEN_MS = 1_500;
const REST_LIMIT_MS = 20_000;
let world: PerturbationWorld;
let tools: EtcdTools;

beforeAll(async () => {
  [world, tools] = await Promise.all([
    startPerturbationWorld(),
    ensureEtcdTools((line) => process.stderr.write(`${line}\n`)),
  ]);
}, START_LIMIT_MS);

afterAll(async () => {
  await world?.stop();
}, 60_000);

type Fleet = { readonly surroundings: Surroundings; readonly names: Readonly<Record<CityRole, string>> };
type CityRole = "flipped" | "edited" | "recreated";

async function freshFleet(): Promise<Fleet> {
  const prefix = world.nextPrefix();
  const names = { flipped: `${prefix}flipped`, edited: `${prefix}edited`, recreated: `${prefix}recreated` };
  return { surroundings: await world.surroundings(prefix), names };
}

async function allReady({ surroundings, names }: Fleet): Promise<void> {
  const user = createUser(surroundings);
  await happensWithin(REST_LIMIT_MS, "every City Ready", async () =>
    (await Promise.all(Object.values(names).map((name) => user.is(name, "Ready")))).every(Boolean),
  );
}

/** All that can happen behind an operator's back: back and forth, twice, under the same name, and among the workers. */
async function change({ surroundings, names }: Fleet): Promise<void> {
  const user = createUser(surroundings);
  await user.edit(names.flipped, { suspend: true });
  await user.edit(names.flipped, { suspend: false });
  await user.edit(names.edited, { period: "400ms" });
  await user.edit(names.edited, { period: "300ms" });
  await user.remove(names.recreated);
  // As somebody does who thinks the operator is dead.
  await surroundings.client.patch(
    CITIES,
    { namespace: surroundings.namespace, name: names.recreated },
    { metadata: { finalizers: null } },
    AbortSignal.timeout(5_000),
  );
  await user.create(names.recreated, { ...SPEC, period: "500ms" });
}

async function expectSettled(fleet: Fleet): Promise<void> {
  await happensWithin(REST_LIMIT_MS, "a Lease for every City as it is now", async () => {
    const ends = await Promise.all(
      Object.values(fleet.names).map((name) => readEnd(fleet.surroundings, name, name)),
    );
    return ends.every(
      ({ lease, fence }) => lease?.isOwnedByCity === true && lease.isTaskOfNow && fence === "held",
    );
  });
  await allReady(fleet);
  const periods = await Promise.all(
    Object.entries(fleet.names).map(async ([role, name]) => {
      const { lease } = await readEnd(fleet.surroundings, name, name);
      const { period } = (lease?.task ?? {}) as { readonly period?: string };
      return [role, period, lease?.pod];
    }),
  );
  expect(periods).toEqual([
    ["flipped", "200ms", "second"],
    ["edited", "300ms", "second"],
    ["recreated", "500ms", "second"],
  ]);
}

test.each(["merged", "late"] as const)(
  "an operator whose watches are silent for a while and then %s ends where the specifications are",
  async (release) => {
    const fleet = await freshFleet();
    const { surroundings, names } = fleet;
    const gate = new WatchGate();
    const operator = startOperator(surroundings, { view: gate.client(surroundings.client) });
    const first = startWorker(surroundings, "first");
    const user = createUser(surroundings);
    for (const name of Object.values(names)) await user.create(name, SPEC);
    await allReady(fleet);
    gate.shut();
    const second = startWorker(surroundings, "second");
    try {
      await change(fleet);
      const drained = first.drain();
      await sleep(UNSEEN_MS);
      gate.open(release);
      await drained;
      await expectSettled(fleet);
    } finally {
      await Promise.all([first.stop(), second.stop()]);
      operator.life.end();
      await operator.ended;
    }
  },
  90_000,
);

test("an operator whose watch etcd cannot continue, because its history is compacted, lists anew", async () => {
  const fleet = await freshFleet();
  const { surroundings, names } = fleet;
  // The operator's connection stays whole: its API server loses etcd, whose history is compacted meanwhile. Without a watch
  // cache that server cannot take up its watches, and says so in each of them.
  const proxy = await createTcpProxy(world.api.instance.etcdPort);
  const replica = await startReplica({
    of: world.api,
    name: "uncached",
    etcdPort: proxy.port,
    watchCache: false,
  });
  const watches = createKubeClient({ kubeconfig: { kind: "file", path: replica.kubeconfigPath } });
  const { log, entries } = recordingLog();
  const operator = startOperator(surroundings, {
    view: composeClient({ watches, others: world.client }),
    log,
  });
  const first = startWorker(surroundings, "first");
  const second = startWorker(surroundings, "second");
  const user = createUser(surroundings);
  try {
    for (const name of Object.values(names)) await user.create(name, SPEC);
    await allReady(fleet);
    proxy.cut();
    await change(fleet);
    const drained = first.drain();
    await sleep(UNSEEN_MS);
    await tools.compact(world.api.instance);
    proxy.heal();
    await drained;
    await expectSettled(fleet);
    expect(entries.filter(({ because }) => because === "kube-expired")).not.toEqual([]);
  } finally {
    await Promise.all([first.stop(), second.stop()]);
    operator.life.end();
    await operator.ended;
    await watches.close();
    await replica.stop();
    await proxy.close();
  }
}, 120_000);

test("the auditor is content", async () => {
  await world.expectAuditClean();
}, 60_000);
