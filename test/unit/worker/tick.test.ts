import { describe, expect, test } from "@jest/globals";
import { parseToken } from "../../../crds/token.ts";
import type { CitySnapshot } from "../../../db/snapshot.ts";
import type { CommitRequest } from "../../../db/fence.ts";
import { silentLog } from "../../../runtime/log.ts";
import type { DispatchPool } from "../../../worker/dispatch-pool/dispatch-pool.ts";
import { createDatabaseClock } from "../../../worker/database-clock.ts";
import { runTick } from "../../../worker/tenure/tick.ts";
import { createMetrics } from "../../../runtime/metrics.ts";
import { createWorkerMetrics } from "../../../worker/metrics.ts";
import { anAnswer } from "../../support/dispatch-snapshot.ts";
import { cityOf, taskOf } from "../../support/cities.ts";
import { createFakeClock } from "../../support/fake-clock.ts";

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
async function tickOn(found: Partial<CitySnapshot>) {
  const clock = createFakeClock();
  const committed: CommitRequest[] = [];
  let dispatches = 0;
  const dispatchPool: DispatchPool = {
    async run() {
      dispatches += 1;
      return anAnswer();
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
          return { kind: "committed", dropped: [] };
        },
      },
      readSnapshot: async () => ({ ...FOUND, ...found }),
      dispatchPool,
      isolationPool: dispatchPool,
      fallbacks: new Map(),
      metrics: createWorkerMetrics(createMetrics()),
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
    },
    new AbortController().signal,
  );
  return { outcome: outcome.kind, dispatches, committed };
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
      expect(await tickOn(found)).toEqual({ outcome: "fenced", dispatches: 0, committed: [] });
    },
  );

  test.each([{ tick: 3n }, { tick: 5n }, { commitId: "another-fourth" }])(
    "computes nothing from a history that is not the one it knows: %p",
    async (found) => {
      expect(await tickOn(found)).toEqual({ outcome: "reload", dispatches: 0, committed: [] });
    },
  );
});
