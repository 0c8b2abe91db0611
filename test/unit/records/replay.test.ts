import { afterEach, describe, expect, test } from "@jest/globals";
import { silentLog } from "../../../runtime/log.ts";
import { createDispatchPool, type DispatchPool } from "../../../worker/dispatch-pool/dispatch-pool.ts";
import { createLoader } from "../../../worker/dispatchers/load.ts";
import { decodeRecord, isRecorded, type TickRecord } from "../../../worker/records/record.ts";
import { differences, replay, type ReplayChanges } from "../../../worker/records/replay.ts";
import { aQuestion, aRandomSnapshot } from "../../support/dispatch-snapshot.ts";
import { createFakeClock } from "../../support/fake-clock.ts";

const load = createLoader(undefined);
const FOREVER = new AbortController().signal;
const HEAD = { city: "madrid", tick: "7", version: "1.2.3" };
const LIMIT_MS = 30_000;
let pool: DispatchPool;

afterEach(async () => {
  await pool.close();
});

/** As the real thread writes it. */
async function recordOf(dispatcher: string, deadlineMs = 60_000): Promise<TickRecord> {
  pool = createDispatchPool({ threads: 1, clock: createFakeClock(), log: silentLog });
  const snapshot = aRandomSnapshot(3, { orders: 80, couriers: 50 });
  const question = aQuestion({ dispatchers: [dispatcher], record: HEAD });
  const { record, degraded } = await pool.run(snapshot, question, deadlineMs, FOREVER);
  expect(degraded).toBe(deadlineMs < 1);
  return decodeRecord(new TextDecoder().decode(record));
}

async function differ(record: TickRecord, changes: ReplayChanges): Promise<string> {
  return differences(record, await replay(record, changes, load)).join("\n");
}

describe("a recorded tick", () => {
  test.each([
    ["optimal", 60_000],
    ["greedy", 60_000],
    ["optimal", Number.MIN_VALUE],
    ["greedy", Number.MIN_VALUE],
  ])(
    "of %s with %d ms is replayed to the very same result",
    async (dispatcher, deadlineMs) => {
      const record = await recordOf(dispatcher, deadlineMs);
      expect(record).toMatchObject({ ...HEAD, dispatcher });
      const { result } = await replay(record, {}, load);
      expect(result).toEqual(record.result);
      expect(await differ(record, {})).toBe("");
    },
    LIMIT_MS,
  );

  test(
    "replayed with another parameter or dispatcher shows each order that changed, in plain words",
    async () => {
      const record = await recordOf("optimal");
      expect(record.result.decisions.length).toBeGreaterThan(3);
      const nothing = await differ(record, { parameters: { pickupTravelMaxMs: 1 } });
      expect(nothing).toMatch(
        /order o\d+\n {2}recorded: to c\d+, stop 1, cost [\d.]+ s \(.*\)\n {2}replayed: nobody may take it/,
      );
      expect(await differ(record, { dispatcher: "greedy" })).toMatch(/recorded: .*\n {2}replayed: /);
      const weighted = await differ(record, {
        parameters: { weights: { ...record.parameters.weights, travel: 900 } },
      });
      expect(weighted).not.toBe("");
    },
    LIMIT_MS,
  );

  test(
    "cannot be replayed by a dispatcher that is not there",
    async () => {
      const record = await recordOf("greedy");
      await expect(replay(record, { dispatcher: "acme" }, load)).rejects.toThrow("no dispatcher");
      expect(() => decodeRecord('{"format": 99}')).toThrow(RangeError);
    },
    LIMIT_MS,
  );

  test("is one of so many in a hundred, spread evenly", async () => {
    pool = createDispatchPool({ threads: 1, startsAtOnce: false, clock: createFakeClock(), log: silentLog });
    const recorded = (percent: number): number[] =>
      Array.from({ length: 200 }, (_, index) => index + 1).filter((tick) =>
        isRecorded(BigInt(tick), percent),
      );
    expect(recorded(0)).toEqual([]);
    expect(recorded(1)).toEqual([100, 200]);
    expect(recorded(25).slice(0, 3)).toEqual([4, 8, 12]);
    expect(recorded(100)).toHaveLength(200);
  });
});
