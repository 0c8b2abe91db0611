import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import { audit, formatAuditReport, type AuditReport } from "../../../db/audit.ts";
import { createFence, type Fence } from "../../../db/fence.ts";
import { pruneTicks } from "../../../db/prune.ts";
import { sealCity } from "../../../db/seal.ts";
import { systemClock } from "../../../runtime/clock.ts";
import { fillCity } from "../../support/delivery-city.ts";
import {
  chained,
  CLUSTER,
  decisionOf,
  freshDatabase,
  MYSQL_START_LIMIT_MS,
  startTestMysql,
  tokenOf,
  within,
  type TestDatabase,
  type TestMysql,
} from "../../support/mysql.ts";

let server: TestMysql;
let db: TestDatabase;
let fence: Fence;

beforeAll(async () => {
  server = await startTestMysql();
}, MYSQL_START_LIMIT_MS);
afterAll(async () => {
  await server.close();
});
beforeEach(async () => {
  db = await freshDatabase(server);
  fence = createFence({ database: db.open("worker"), clock: systemClock });
  await writeHistory();
});
afterEach(async () => {
  await db.close();
});

const SLOT_MS = 1_700_000_000_000;

async function commit(
  token: number,
  tick: number,
  options: { slot?: number; decisions?: readonly string[] } = {},
) {
  const outcome = await fence.commit(
    {
      city: "madrid",
      epoch: 1n,
      token: tokenOf(token),
      ...chained(BigInt(tick)),
      slotMs: SLOT_MS + 5_000 * (options.slot ?? tick),
      periodMs: 5_000,
      degraded: tick === 2,
      decisions: (options.decisions ?? []).map(decisionOf),
    },
    within(),
  );
  expect(outcome.kind).toBe("committed");
}

const claim = (token: number) =>
  fence.claim(
    { city: "madrid", clusterUid: CLUSTER, epoch: 1n, token: tokenOf(token), holder: `w${token}` },
    within(),
  );

/** Three holders, a seal, seven ticks, two assignments, one dropped decision, two missed slots. */
async function writeHistory(): Promise<void> {
  await fillCity(db, "madrid", { orders: ["o1", "o2", "o3"], couriers: ["c1"] });
  await claim(10);
  await commit(10, 1);
  await commit(10, 2, { decisions: ["o1 c1", "o9 c1"] });
  await claim(20);
  await commit(20, 3);
  await commit(20, 4, { slot: 6, decisions: ["o2 c1"] });
  await sealCity(db.open("operator"), { city: "madrid", clusterUid: CLUSTER, token: tokenOf(30) }, within());
  await claim(40);
  await commit(40, 5, { slot: 100 });
  await commit(40, 6, { slot: 101 });
  await commit(40, 7, { slot: 102 });
}

const report = () => audit(db.open("admin"), within());
const violated = ({ checks }: AuditReport): number[] =>
  checks.filter(({ violationsTotal }) => violationsTotal > 0).map(({ invariant }) => invariant);

test("the auditor finds nothing in what the protocol wrote, and counts what is there", async () => {
  const clean = await report();
  expect(violated(clean)).toEqual([]);
  expect(clean).toMatchObject({
    cities: 1,
    ticks: 7,
    decisions: 3,
    dropped: 1,
    degradedTicks: 1,
    // Slots 4 and 5; the sealed stretch does not count.
    missedSlots: 2,
    isClean: true,
  });
  expect(clean.checks.every(({ examined }) => examined > 0)).toBe(true);
  expect(formatAuditReport(clean)).toContain("all invariants hold");
});

test("the worker's and the operator's account may run it", async () => {
  for (const role of ["worker", "operator"] as const) {
    expect((await audit(db.open(role), within())).isClean).toBe(true);
  }
});

/** What a broken protocol would have left, and the invariants that say so. */
const TAMPERINGS: readonly (readonly [string, readonly string[], readonly number[]])[] = [
  ["a tick under an earlier token after a later claim", ["UPDATE tick SET token = 10 WHERE tick = 3"], [1]],
  ["a tick under an earlier token among later ones", ["UPDATE tick SET token = 10 WHERE tick = 4"], [1, 3]],
  ["a tick under a token that nobody claimed", ["UPDATE tick SET token = 41 WHERE tick = 7"], [1]],
  ["a tick in an epoch before its claim's", ["UPDATE tick SET epoch = 0 WHERE tick = 1"], [1]],
  ["a fence that fell", ["UPDATE city_fence SET token = 20"], [2]],
  ["a claim below the one before it", ["UPDATE claim SET token = 5 WHERE claim = 2"], [1, 2]],
  ["a claim that was erased", ["DELETE FROM claim WHERE claim = 2"], [1, 2]],
  ["an epoch that no authority gave", ["UPDATE authority SET epoch = 0"], [2]],
  ["a lost tick", ["DELETE FROM tick WHERE tick = 3"], [3]],
  ["a lost last tick", ["DELETE FROM tick WHERE tick = 7"], [3]],
  ["a fence that went back", ["UPDATE city_fence SET tick = 6"], [3]],
  ["a tick from an old snapshot", ["UPDATE tick SET snapshot_tick = 3 WHERE tick = 5"], [4]],
  [
    "a tick that builds on a lost commit",
    ["UPDATE tick SET previous_commit_id = UUID_TO_BIN(UUID()) WHERE tick = 5"],
    [4],
  ],
  [
    "one commit in two ticks",
    ["UPDATE tick a JOIN tick b ON b.tick = 6 SET a.commit_id = b.commit_id WHERE a.tick = 7"],
    [5],
  ],
  ["a lost assignment", ["DELETE FROM assignment WHERE order_id = 'o1'"], [5]],
  [
    "an assignment that no tick made",
    [
      "INSERT INTO assignment (city, tick, order_id, courier_id, assigned_at, state) VALUES ('madrid', 9, 'o3', 'c1', UTC_TIMESTAMP(3), 'delivered')",
    ],
    [5],
  ],
  [
    "two active assignments of one order",
    [
      "ALTER TABLE assignment DROP INDEX one_active_per_order",
      "UPDATE tick SET decisions = 1 WHERE tick = 3",
      "INSERT INTO assignment (city, tick, order_id, courier_id, assigned_at) VALUES ('madrid', 3, 'o1', 'c2', UTC_TIMESTAMP(3))",
      "INSERT INTO couriers (city, id, latitude, longitude, position_at, capacity, shift_starts_at, shift_ends_at) SELECT city, 'c2', latitude, longitude, position_at, 2, shift_starts_at, shift_ends_at FROM couriers",
    ],
    [7],
  ],
  [
    "an active assignment of a cancelled order",
    ["UPDATE orders SET status = 'cancelled' WHERE id = 'o1'"],
    [7],
  ],
  ["a courier with more than its capacity", ["UPDATE couriers SET capacity = 1"], [7]],
  [
    "an order that was taken from its courier and given to nobody",
    ["UPDATE assignment SET state = 'reassigned' WHERE order_id = 'o1'"],
    [7],
  ],
  [
    "two orders of one tick for the same stop of a courier",
    ["UPDATE assignment SET tick = 2", "UPDATE tick SET decisions = IF(tick = 2, 3, 0) WHERE tick IN (2, 4)"],
    [10],
  ],
  [
    "orders of two stores in one bundle",
    [
      "UPDATE assignment SET tick = 2, stop = IF(order_id = 'o1', 1, 2)",
      "UPDATE tick SET decisions = IF(tick = 2, 3, 0) WHERE tick IN (2, 4)",
      "UPDATE orders SET store_id = 's2' WHERE id = 'o2'",
    ],
    [10],
  ],
  ["a tick after the seal", ["UPDATE claim SET tick = 3 WHERE claim = 3"], [1, 9]],
];

describe("the auditor objects to", () => {
  test.each(TAMPERINGS)("%s", async (_, statements, invariants) => {
    await db.sql(...statements);
    const found = await report();
    expect(violated(found)).toEqual(invariants);
    expect(found.isClean).toBe(false);
    expect(formatAuditReport(found)).toContain("VIOLATED");
  });
});

describe("pruning", () => {
  const prune = (keepMs: number, ticksMax = 100) =>
    pruneTicks(db.open("operator"), { afterCity: undefined, keepMs, citiesMax: 10, ticksMax }, within());
  const ticks = async () =>
    (await db.sql("SELECT tick FROM tick ORDER BY tick")).map((row) => Number(row["tick"]));

  test("keeps what is younger than the limit", async () => {
    expect(await prune(3_600_000)).toEqual({ pruned: 0, lastCity: undefined });
    expect(await ticks()).toHaveLength(7);
  });

  test("goes in small batches, oldest first, and leaves a history that the auditor understands", async () => {
    expect(await prune(0, 3)).toMatchObject({ pruned: 3 });
    expect(await ticks()).toEqual([4, 5, 6, 7]);
    expect(violated(await report())).toEqual([]);
    expect((await db.sql("SELECT claim FROM claim ORDER BY claim")).map((row) => row["claim"])).toEqual([
      2, 3, 4,
    ]);
  });

  test("never forgets the last tick, nor its claim", async () => {
    expect(await prune(0)).toMatchObject({ pruned: 6 });
    expect(await ticks()).toEqual([7]);
    expect(await db.sql("SELECT claim FROM claim")).toEqual([{ claim: 4 }]);
    expect(violated(await report())).toEqual([]);
  });

  test("walks all cities in batches and tells where to go on", async () => {
    for (const city of ["athens", "bergen", "cairo"]) {
      await fence.claim({ city, clusterUid: CLUSTER, epoch: 1n, token: tokenOf(1), holder: "w" }, within());
    }
    const operator = db.open("operator");
    const cities: (string | undefined)[] = [];
    let afterCity: string | undefined;
    do {
      ({ lastCity: afterCity } = await pruneTicks(
        operator,
        { afterCity, keepMs: 0, citiesMax: 3, ticksMax: 100 },
        within(),
      ));
      cities.push(afterCity);
    } while (afterCity !== undefined);
    expect(cities).toEqual(["cairo", undefined]);
    expect(await ticks()).toEqual([7]);
  });
});
