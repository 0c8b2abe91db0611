import { expect, test } from "@jest/globals";
import { decodeHeartbeat, type Lease } from "../../../crds/lease.ts";
import { LEASES } from "../../../runtime/kube/resources.ts";
import { silentLog } from "../../../runtime/log.ts";
import { createHeartbeat } from "../../../worker/heartbeat.ts";
import { createWorkerMetrics } from "../../../worker/metrics.ts";
import { createFakeClock } from "../../support/fake-clock.ts";
import { createFakeKube, type FakeKube } from "../../support/fake-kube.ts";
import { createMetricValues } from "../../support/metric-values.ts";

const INTERVAL_MS = 1_000;

function setUp(kube: FakeKube = createFakeKube(), worker = "worker-1-abc") {
  const clock = createFakeClock();
  const { metrics, value } = createMetricValues();
  const heartbeat = createHeartbeat({
    client: kube.client,
    clock,
    log: silentLog,
    metrics: createWorkerMetrics(metrics),
    namespace: "default",
    podUid: undefined,
    identity: {
      worker,
      pod: "worker-1",
      pool: "default",
      zone: "a",
      version: "1",
      capacity: 100,
      intervalMs: INTERVAL_MS,
      since: "2026-01-01T00:00:00.000000Z",
    },
    isDatabaseReachable: () => true,
  });
  const stop = new AbortController();
  const running = heartbeat.run(stop.signal);
  const lease = (name = `worker-${worker}`) =>
    kube.client.get<Lease>(LEASES, { namespace: "default", name }, new AbortController().signal);
  return {
    kube,
    clock,
    heartbeat,
    value,
    lease,
    end: async () => {
      stop.abort(new Error("the test is over"));
      await clock.advance(INTERVAL_MS);
      await running;
    },
  };
}

test("a worker registers at once and renews every interval", async () => {
  const { clock, lease, end } = setUp();
  await clock.settle();
  const first = await lease();
  expect(decodeHeartbeat(first!)).toMatchObject({ worker: "worker-1-abc", draining: false });
  await clock.advance(3 * INTERVAL_MS);
  const later = await lease();
  expect(Number(later?.metadata.resourceVersion) - Number(first?.metadata.resourceVersion)).toBe(3);
  await end();
});

test("a drain is told at once, and by every beat after it", async () => {
  const { clock, heartbeat, lease, end } = setUp();
  await clock.settle();
  await heartbeat.drain(new AbortController().signal);
  expect(decodeHeartbeat((await lease())!).draining).toBe(true);
  await clock.advance(INTERVAL_MS);
  expect(decodeHeartbeat((await lease())!).draining).toBe(true);
  await end();
});

test("a worker beats on through an outage, and after somebody else touched or deleted its Lease", async () => {
  const { kube, clock, value, lease, end } = setUp();
  await clock.settle();
  kube.goAway();
  await clock.advance(5 * INTERVAL_MS);
  expect(await value("dispatch_worker_heartbeat_age_seconds")).toBe(5);
  kube.comeBack();
  await clock.advance(INTERVAL_MS);
  expect(await value("dispatch_worker_heartbeat_age_seconds")).toBeLessThanOrEqual(1);
  const signal = new AbortController().signal;
  const found = await lease();
  await kube.client.replace<Lease>(
    LEASES,
    { ...found!, spec: { ...found!.spec, leaseTransitions: 9 } },
    signal,
  );
  await clock.advance(INTERVAL_MS);
  expect((await lease())?.spec?.leaseTransitions).toBeUndefined();
  await kube.client.remove(LEASES, { namespace: "default", name: "worker-worker-1-abc" }, signal);
  await clock.advance(INTERVAL_MS);
  expect(await lease()).toBeDefined();
  await end();
});

test("a new process takes away the Leases of earlier processes of its Pod, and no others", async () => {
  const kube = createFakeKube();
  const earlier = setUp(kube, "worker-1-old");
  await earlier.clock.settle();
  await earlier.end();
  const signal = new AbortController().signal;
  const other = await earlier.lease();
  await kube.client.create<Lease>(
    LEASES,
    {
      ...other!,
      metadata: {
        name: "worker-worker-2-xyz",
        namespace: "default",
        labels: { ...other!.metadata.labels, "dispatch.city/pod": "worker-2" },
      },
    },
    signal,
  );
  const { clock, lease, end } = setUp(kube, "worker-1-new");
  await clock.settle();
  expect(await lease("worker-worker-1-old")).toBeUndefined();
  expect(await lease("worker-worker-1-new")).toBeDefined();
  expect(await lease("worker-worker-2-xyz")).toBeDefined();
  await end();
});

test("a worker that ends takes its Lease away, whether or not it is there", async () => {
  const { clock, heartbeat, lease, end } = setUp();
  await clock.settle();
  await end();
  await heartbeat.remove();
  expect(await lease()).toBeUndefined();
  await heartbeat.remove();
});
