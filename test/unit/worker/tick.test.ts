import { describe, expect, test } from "@jest/globals";
import { parseToken } from "../../../crds/token.ts";
import type { CitySnapshot, OpenOrderRow } from "../../../db/snapshot.ts";
import type { CommitRequest, DroppedDecision } from "../../../db/fence.ts";
import { silentLog } from "../../../runtime/log.ts";
import { noSpan } from "../../../runtime/tracing/span.ts";
import type { DispatchPool } from "../../../worker/dispatch-pool/dispatch-pool.ts";
import { createDatabaseClock } from "../../../worker/database-clock.ts";
import { runTick } from "../../../worker/tenure/tick.ts";
import type { DispatchAnswer } from "../../../worker/dispatch-pool/protocol.ts";
import type { WaitingOrders } from "../../../worker/tenure/waiting-orders.ts";
import { createWorkerMetrics } from "../../../worker/metrics.ts";
import { anAnswer } from "../../support/dispatch-snapshot.ts";
import { cityOf, taskOf } from "../../support/cities.ts";
import { createFakeClock } from "../../support/fake-clock.ts";
import { createMetricValues } from "../../support/metric-values.ts";

const FOUND: CitySnapshot = {
  epoch: 1n,
  token: parseToken("7"),
  holder: "us",
  tick: 4n,
  commitId: "the-fourth",
  databaseTimeMs: 0,
  orders: [],
  couriers: [],
  isCut: false,
};

/** One tick of a tenure that claimed token 7 after tick 4, whose snapshot differs in `found`. */
async function tickOn(
  found: Partial<CitySnapshot>,
  answer: Partial<DispatchAnswer> = {},
  dropped: readonly DroppedDecision[] = [],
) {
  const clock = createFakeClock();
  const { metrics, value } = createMetricValues();
  const waitingOrders: WaitingOrders = new Map();
  const committed: CommitRequest[] = [];
  let dispatches = 0;
  const dispatchPool: DispatchPool = {
    async run() {
      dispatches += 1;
      return anAnswer(answer);
    },
    isReady: () => true,
    close: async () => undefined,
  };
  const outcome = await runTick(
    {
      clock,
      databaseClock: createDatabaseClock(clock),
      fence: {
        claim: async () => ({ kind: "behind" }),
        async commit(request) {
          committed.push(request);
          return { kind: "committed", dropped };
        },
      },
      readSnapshot: async () => ({ ...FOUND, ...found }),
      dispatchPool,
      isolationPool: dispatchPool,
      fallbacks: new Map(),
      waitingOrders,
      metrics: createWorkerMetrics(metrics),
      keeper: { keep: () => undefined },
      version: "test",
      newCommitId: () => "the-fifth",
      onDatabase: () => undefined,
      log: silentLog,
    },
    {
      city: "madrid",
      epoch: FOUND.epoch,
      token: FOUND.token,
      lastTick: FOUND.tick,
      lastCommitId: FOUND.commitId,
      slotMs: 0,
      periodMs: 1_000,
      task: taskOf(cityOf("madrid")),
      isIsolated: false,
      span: noSpan,
    },
    new AbortController().signal,
  );
  return { outcome: outcome.kind, dispatches, committed, value, waiting: waitingOrders.get("madrid") };
}

describe("a tick", () => {
  test("builds on the tick that its snapshot shows", async () => {
    const { outcome, committed } = await tickOn({});
    expect(outcome).toBe("committed");
    expect(committed).toMatchObject([{ tick: 5n, snapshotTick: 4n, token: FOUND.token, epoch: 1n }]);
  });

  test.each([{ token: parseToken("8") }, { epoch: 2n }])(
    "computes nothing when another has claimed: %p",
    async (found) => {
      expect(await tickOn(found)).toMatchObject({ outcome: "fenced", dispatches: 0, committed: [] });
    },
  );

  test.each([{ tick: 3n }, { tick: 5n }, { commitId: "another-fourth" }])(
    "computes nothing from a history that is not the one it knows: %p",
    async (found) => {
      expect(await tickOn(found)).toMatchObject({ outcome: "reload", dispatches: 0, committed: [] });
    },
  );

  test("tells what became of its decisions, and which orders it left to nobody", async () => {
    const order = (orderId: string) => ({ orderId, placedAtMs: -60_000, readyAtMs: 0 }) as OpenOrderRow;
    const decision = (order: string) => ({ order, courier: "c1", stop: 1, from: undefined });
    const { value, waiting } = await tickOn(
      { orders: ["given", "dropped", "left"].map(order) },
      { decisions: [decision("given"), decision("dropped")] },
      [{ order: "dropped", courier: "c1", because: "courier-gone" }],
    );
    expect(await value('dispatch_worker_decisions_total{result="applied"}')).toBe(1);
    expect(await value('dispatch_worker_decisions_total{result="dropped"}')).toBe(1);
    expect(waiting).toEqual({ count: 2, oldestSinceMs: -60_000 });
    for (const stage of ["snapshot", "decide", "commit"]) {
      const name = "dispatch_worker_tick_stage_duration_seconds_count";
      expect([stage, await value(`${name}{stage="${stage}"}`)]).toEqual([stage, 1]);
    }
  });

  test("counts as degraded when the deadline or the size of the city kept it from the best answer", async () => {
    const degraded = async (found: Partial<CitySnapshot>, answer: Partial<DispatchAnswer>) => {
      const { value } = await tickOn(found, answer);
      const name = "dispatch_worker_degraded_ticks_total";
      return [await value(`${name}{because="deadline"}`), await value(`${name}{because="cut-snapshot"}`)];
    };
    expect(await degraded({}, {})).toEqual([0, 0]);
    expect(await degraded({}, { degraded: true })).toEqual([1, 0]);
    expect(await degraded({ isCut: true }, {})).toEqual([0, 1]);
  });
});
