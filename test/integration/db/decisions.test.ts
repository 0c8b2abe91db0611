import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import type { RowDataPacket } from "mysql2/promise";
import { audit } from "../../../db/audit.ts";
import { createFence, type CommitOutcome, type DroppedDecision, type Fence } from "../../../db/fence.ts";
import type { Database, SqlValue } from "../../../db/pool.ts";
import { readSnapshot } from "../../../db/snapshot.ts";
import { systemClock } from "../../../runtime/clock.ts";
import { fillCity } from "../../support/delivery-city.ts";
import {
  chained,
  CLUSTER,
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
let worker: Database;
let feed: Database;
let fence: Fence;
let tick = 0n;

beforeAll(async () => {
  server = await startTestMysql();
}, MYSQL_START_LIMIT_MS);
afterAll(async () => {
  await server.close();
});
beforeEach(async () => {
  db = await freshDatabase(server);
  worker = db.open("worker");
  feed = db.open("feed");
  fence = createFence({ database: worker, clock: systemClock });
  tick = 0n;
  await fence.claim(
    { city: "madrid", clusterUid: CLUSTER, epoch: 1n, token: tokenOf(1), holder: "w" },
    within(),
  );
});
afterEach(async () => {
  const report = await audit(db.open("admin"), within());
  expect(report.checks.flatMap(({ violations }) => violations)).toEqual([]);
  await db.close();
});

/** Commits the next tick; decisions as "order courier". */
async function commit(...decisions: readonly string[]): Promise<CommitOutcome> {
  tick += 1n;
  const outcome = await fence.commit(
    {
      city: "madrid",
      epoch: 1n,
      token: tokenOf(1),
      ...chained(tick),
      slotMs: Number(tick) * 1_000,
      periodMs: 1_000,
      degraded: false,
      decisions: decisions.map((text) => {
        const [order = "", courier = ""] = text.split(" ");
        return { order, courier };
      }),
    },
    within(),
  );
  // The order of the dropped ones means nothing.
  return outcome.kind === "committed" ? { ...outcome, dropped: sorted(outcome.dropped) } : outcome;
}

function sorted(dropped: readonly DroppedDecision[]): readonly DroppedDecision[] {
  const keyOf = ({ order, courier }: DroppedDecision): string => `${order} ${courier}`;
  return dropped.toSorted((left, right) => keyOf(left).localeCompare(keyOf(right)));
}

const committed = (...dropped: readonly string[]) => ({
  kind: "committed",
  dropped: dropped.map((text) => {
    const [order, courier, because] = text.split(" ");
    return { order, courier, because };
  }),
});

async function feedCall(procedure: string, ...values: readonly SqlValue[]): Promise<unknown> {
  const marks = values.map(() => "?").join(", ");
  const [rows] = await feed.call(`CALL ${procedure}('madrid', ${marks})`, values, within());
  return rows?.[0]?.["outcome"];
}

const accept = (order: string, courier: string) =>
  feedCall("accept_order", order, courier, new Date("2030-01-01T00:00:00.250Z"), 40.5, -3.6);

const activeAssignments = async () =>
  (await db.sql("SELECT order_id, courier_id FROM assignment WHERE state = 'active' ORDER BY order_id")).map(
    (row) => `${row["order_id"]} ${row["courier_id"]}`,
  );

describe("a decision", () => {
  test("becomes an active assignment that the next snapshot shows", async () => {
    await fillCity(db, "madrid", { orders: ["o1", "o2"], couriers: ["c1"] });
    expect(await commit("o1 c1")).toEqual(committed());
    const snapshot = await readSnapshot(worker, "madrid", within());
    expect(snapshot).toMatchObject({ epoch: 1n, token: 1n, holder: "w", tick: 1n });
    expect(snapshot.orders.map(({ orderId, courierId }) => [orderId, courierId])).toEqual([
      ["o1", "c1"],
      ["o2", undefined],
    ]);
    expect(snapshot.couriers).toEqual([
      expect.objectContaining({ courierId: "c1", activeLoad: 1, unacknowledged: 1, freeAtMs: undefined }),
    ]);
  });

  test("is dropped alone when its order or its courier is gone, and the others stand", async () => {
    await fillCity(db, "madrid", {
      orders: ["o1", "o2", "o3", "o4"],
      couriers: { c1: {}, late: { shift: "over" }, early: { shift: "later" } },
    });
    await feedCall("cancel_order", "o2");
    expect(await commit("o1 c1", "o2 c1", "o3 late", "o4 early", "o9 c1", "o3 nobody")).toEqual(
      committed(
        "o2 c1 order-gone",
        "o3 late courier-gone",
        "o3 nobody courier-gone",
        "o4 early courier-gone",
        "o9 c1 order-gone",
      ),
    );
    expect(await activeAssignments()).toEqual(["o1 c1"]);
  });

  test("moves an order that its courier has not accepted yet, and no other", async () => {
    await fillCity(db, "madrid", { orders: ["o1", "o2"], couriers: ["c1", "c2"] });
    await commit("o1 c1", "o2 c1");
    expect(await accept("o2", "c1")).toBe("done");
    expect(await commit("o1 c2", "o2 c2")).toEqual(committed("o2 c2 order-taken"));
    expect(await activeAssignments()).toEqual(["o1 c2", "o2 c1"]);
    expect(await commit("o1 c2")).toEqual(committed("o1 c2 order-taken"));
  });

  test("is never repeated for one order within a list", async () => {
    await fillCity(db, "madrid", { orders: ["o1"], couriers: ["c1", "c2"] });
    expect(await commit("o1 c1", "o1 c2")).toEqual(committed("o1 c2 order-taken"));
  });

  test("never exceeds a capacity, counting what the list itself adds", async () => {
    await fillCity(db, "madrid", {
      orders: ["o1", "o2", "o3", "o4"],
      couriers: { c1: { capacity: 2 }, c2: {} },
    });
    await commit("o1 c1");
    expect(await commit("o2 c1", "o3 c1", "o4 c2")).toEqual(committed("o3 c1 courier-full"));
    expect(await activeAssignments()).toEqual(["o1 c1", "o2 c1", "o4 c2"]);
  });

  test("may exchange the orders of two full couriers", async () => {
    await fillCity(db, "madrid", {
      orders: ["o1", "o2"],
      couriers: { c1: { capacity: 1 }, c2: { capacity: 1 } },
    });
    await commit("o1 c1", "o2 c2");
    expect(await commit("o1 c2", "o2 c1")).toEqual(committed());
    expect(await activeAssignments()).toEqual(["o1 c2", "o2 c1"]);
  });

  test("does not count on room that a dropped decision would have made", async () => {
    await fillCity(db, "madrid", {
      orders: ["o1", "o2"],
      couriers: { c1: { capacity: 1 }, c2: { capacity: 1 } },
    });
    await commit("o1 c1");
    // o1 was to leave c1 for a courier that is gone; o2 must not join it there.
    expect(await commit("o1 nobody", "o2 c1")).toEqual(
      committed("o1 nobody courier-gone", "o2 c1 courier-full"),
    );
    expect(await activeAssignments()).toEqual(["o1 c1"]);
  });

  test("is not made again for the courier who declined", async () => {
    await fillCity(db, "madrid", { orders: ["o1"], couriers: ["c1", "c2"] });
    await commit("o1 c1");
    expect(await feedCall("decline_order", "o1", "c1")).toBe("done");
    const { orders } = await readSnapshot(worker, "madrid", within());
    expect(orders[0]).toMatchObject({ courierId: undefined, declinedBy: ["c1"] });
    expect(await commit("o1 c1")).toEqual(committed("o1 c1 courier-declined"));
    expect(await commit("o1 c2")).toEqual(committed());
  });

  test("answered `committed` names the same dropped ones when it is sent again", async () => {
    await fillCity(db, "madrid", { couriers: ["c1"] });
    const request = {
      city: "madrid",
      epoch: 1n,
      token: tokenOf(1),
      ...chained(1n),
      slotMs: 1_000,
      periodMs: 1_000,
      degraded: true,
      decisions: [{ order: "o1", courier: "c1" }],
    };
    expect(await fence.commit(request, within())).toEqual(committed("o1 c1 order-gone"));
    expect(await fence.commit(request, within())).toEqual(committed("o1 c1 order-gone"));
  });
});

describe("the company's services", () => {
  test("take an order through its life, and the courier is idle after the last one", async () => {
    await fillCity(db, "madrid", { orders: ["o1", "o2"], couriers: ["c1"] });
    await commit("o1 c1", "o2 c1");
    expect(await accept("o1", "c1")).toBe("done");
    expect(await accept("o2", "c1")).toBe("done");
    const { couriers, orders } = await readSnapshot(worker, "madrid", within());
    expect(orders[0]?.acceptedAtMs).toBeGreaterThan(Date.now() - 60_000);
    expect(couriers[0]).toMatchObject({
      activeLoad: 2,
      unacknowledged: 0,
      freeAtMs: Date.parse("2030-01-01T00:00:00.250Z"),
      freeLatitude: 40.5,
      freeLongitude: -3.6,
    });
    expect(await feedCall("pick_up_order", "o1", "c1", null)).toBe("done");
    expect((await readSnapshot(worker, "madrid", within())).orders.map(({ orderId }) => orderId)).toEqual([
      "o2",
    ]);
    expect(await feedCall("deliver_order", "o1", "c1", null)).toBe("done");
    expect(await feedCall("deliver_order", "o1", "c1", null)).toBe("done");
    expect((await readSnapshot(worker, "madrid", within())).couriers[0]).toMatchObject({
      activeLoad: 1,
      freeLatitude: 40.5,
    });
    expect(await feedCall("cancel_order", "o2")).toBe("done");
    expect((await readSnapshot(worker, "madrid", within())).couriers[0]).toMatchObject({
      activeLoad: 0,
      freeAtMs: undefined,
      freeLatitude: undefined,
    });
  });

  test("are ignored when the world has moved on", async () => {
    await fillCity(db, "madrid", { orders: ["o1", "o2"], couriers: ["c1", "c2"] });
    await commit("o1 c1");
    expect(await accept("o1", "c2")).toBe("ignored");
    expect(await feedCall("pick_up_order", "o1", "c2", null)).toBe("ignored");
    expect(await feedCall("deliver_order", "o1", "c1", null)).toBe("ignored");
    expect(await feedCall("decline_order", "o2", "c1")).toBe("ignored");
    await feedCall("pick_up_order", "o1", "c1", null);
    expect(await feedCall("cancel_order", "o1")).toBe("ignored");
    expect(await accept("o9", "c1")).toBe("ignored");
  });
});

describe("a commit and a cancellation at once", () => {
  test("wait for each other: a decision for the cancelled order is dropped", async () => {
    await fillCity(db, "madrid", { orders: ["o1"], couriers: ["c1"] });
    const cancelling = await db.connect();
    await cancelling.query(`START TRANSACTION; UPDATE orders SET status = 'cancelled' WHERE id = 'o1'`);
    const committing = commit("o1 c1");
    await untilWaiting();
    await cancelling.query("COMMIT");
    expect(await committing).toEqual(committed("o1 c1 order-gone"));
  });

  test("leave nothing active on a cancelled order, whichever comes first, many times over", async () => {
    const orders = Array.from({ length: 30 }, (_, index) => `o${index}`);
    await fillCity(db, "madrid", { orders, couriers: { c1: { capacity: 1_000 } } });
    for (const order of orders) {
      const [outcome, cancelled] = await Promise.all([
        commit(`${order} c1`),
        feedCall("cancel_order", order),
      ]);
      expect([outcome.kind, cancelled]).toEqual(["committed", "done"]);
    }
    expect(await activeAssignments()).toEqual([]);
  });

  async function untilWaiting(): Promise<void> {
    const connection = await db.connect();
    for (;;) {
      const [rows] = await connection.query<RowDataPacket[]>(
        "SELECT 1 FROM information_schema.innodb_trx WHERE trx_state = 'LOCK WAIT'",
      );
      if (rows.length > 0) return;
      // The table shows a copy that is made anew only when nobody has read it for 100 ms.
      await sleep(150);
    }
  }
});

test("two active assignments of one order are impossible even for the administrator", async () => {
  const insert = (courier: string, number: number): Promise<unknown> =>
    db.sql(`INSERT INTO assignment (city, tick, order_id, courier_id, assigned_at)
            VALUES ('rome', ${number}, 'o1', '${courier}', UTC_TIMESTAMP(3))`);
  await insert("c1", 1);
  await expect(insert("c2", 2)).rejects.toMatchObject({ code: "ER_DUP_ENTRY" });
});
