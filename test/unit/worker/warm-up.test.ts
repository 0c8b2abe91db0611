import { expect, test } from "@jest/globals";
import type { Lease } from "../../../crds/lease.ts";
import { openDatabase } from "../../../db/pool.ts";
import { LEASES } from "../../../runtime/kube/resources.ts";
import { silentLog } from "../../../runtime/log.ts";
import { createMetrics } from "../../../runtime/metrics.ts";
import { tracingOff } from "../../../runtime/tracing/span.ts";
import { createWorkerMetrics } from "../../../worker/metrics.ts";
import { createWorker } from "../../../worker/worker.ts";
import { anAnswer } from "../../support/dispatch-snapshot.ts";
import { createFakeClock } from "../../support/fake-clock.ts";
import { createFakeKube } from "../../support/fake-kube.ts";

/** Whoever registers is given cities at once, and must be able to tick for them. */

const INTERVAL_MS = 5_000;

/** A worker whose dispatch threads load, and whose database answers, when the test says so. */
function setUp() {
  const clock = createFakeClock();
  const kube = createFakeKube();
  const state = { hasLoaded: false, databaseTrouble: "it does not answer" as string | undefined };
  const pool = {
    run: async () => anAnswer(),
    isReady: () => state.hasLoaded,
    close: async () => undefined,
  };
  // Nobody asks it for anything here.
  const url = "mysql://nobody@127.0.0.1:1/nothing";
  const database = openDatabase({ url, connectionsMax: 1, log: silentLog, clock });
  const draining = new AbortController();
  const stopping = new AbortController();
  const worker = createWorker(
    {
      clock,
      random: () => 0.5,
      newCommitId: () => "the-first",
      client: kube.client,
      heartbeatClient: kube.client,
      database,
      databaseHealth: {
        run: (signal) =>
          new Promise((resolve) => {
            signal.addEventListener("abort", () => resolve(), { once: true });
          }),
        trouble: () => state.databaseTrouble,
        isReachable: () => state.databaseTrouble === undefined,
      },
      dispatchPool: pool,
      isolationPool: pool,
      log: silentLog,
      metrics: createWorkerMetrics(createMetrics()),
      tracing: tracingOff,
    },
    {
      identity: {
        worker: "pod-1-abc",
        pod: "pod-1",
        pool: "default",
        zone: "a",
        version: "1",
        capacity: 100,
        intervalMs: INTERVAL_MS,
        since: "2026-01-01T00:00:00.000000Z",
      },
      namespace: "default",
      podUid: undefined,
      drainLimitMs: 1_000,
    },
  );
  const running = worker.run({ draining: draining.signal, stopping: stopping.signal });
  const ref = { namespace: "default", name: "worker-pod-1-abc" };
  return {
    clock,
    state,
    isRegistered: async () =>
      (await kube.client.get<Lease>(LEASES, ref, new AbortController().signal)) !== undefined,
    drain: () => draining.abort(new Error("SIGTERM")),
    end: async () => {
      stopping.abort(new Error("the test is over"));
      await clock.advance(INTERVAL_MS);
      await running;
      await database.close();
    },
  };
}

test("a worker registers once its dispatch threads have loaded and its database has answered", async () => {
  const { clock, state, isRegistered, end } = setUp();
  await clock.advance(1_000);
  expect(await isRegistered()).toBe(false);
  state.hasLoaded = true;
  await clock.advance(1_000);
  expect(await isRegistered()).toBe(false);
  state.databaseTrouble = undefined;
  await clock.advance(100);
  expect(await isRegistered()).toBe(true);
  await end();
});

test("for what does not come up it waits two heartbeats, and registers all the same", async () => {
  const { clock, isRegistered, end } = setUp();
  await clock.advance(2 * INTERVAL_MS - 100);
  expect(await isRegistered()).toBe(false);
  await clock.advance(200);
  expect(await isRegistered()).toBe(true);
  await end();
});

test("one that is asked to end before that ends at once, and leaves no Lease", async () => {
  const { clock, drain, isRegistered, end } = setUp();
  await clock.advance(1_000);
  drain();
  await clock.advance(200);
  expect(await isRegistered()).toBe(false);
  await end();
});
