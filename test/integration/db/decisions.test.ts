import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import type { RowDataPacket } from "mysql2/promise";
import { audit } from "../../../db/audit.ts";
import { committed, openDecidingCity, type DecidingCity } from "../../support/deciding-city.ts";
import { fillCity } from "../../support/delivery-city.ts";
import {
  chained,
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
let city: DecidingCity;

beforeAll(async () => {
  server = await startTestMysql();
}, MYSQL_START_LIMIT_MS);
afterAll(async () => {
  await server.close();
});
beforeEach(async () => {
  db = await freshDatabase(server);
  city = await openDecidingCity(db);
});
afterEach(async () => {
  const report = await audit(db.open("admin"), within());
  expect(report.checks.flatMap(({ violations }) => violations)).toEqual([]);
  await db.close();
});

describe("a decision", () => {
  test("becomes an active assignment that the next snapshot shows", async () => {
    await fillCity(db, "madrid", { orders: ["o1", "o2"], couriers: ["c1"] });
    expect(await city.commit("o1 c1")).toEqual(committed());
    const snapshot = await city.snapshot();
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
    await city.act("cancel_order", "o2");
    expect(await city.commit("o1 c1", "o2 c1", "o3 late", "o4 early", "o9 c1", "o3 nobody")).toEqual(
      committed(
        "o2 c1 order-gone",
        "o3 late courier-gone",
        "o3 nobody courier-gone",
        "o4 early courier-gone",
        "o9 c1 order-gone",
      ),
    );
    expect(await city.active()).toEqual(["o1 c1"]);
  });

  test("is never repeated for one order within a list", async () => {
    await fillCity(db, "madrid", { orders: ["o1"], couriers: ["c1", "c2"] });
    expect(await city.commit("o1 c1", "o1 c2")).toEqual(committed("o1 c2 order-taken"));
  });

  test("never exceeds a capacity, counting what the list itself adds", async () => {
    await fillCity(db, "madrid", {
      orders: ["o1", "o2", "o3", "o4"],
      couriers: { c1: { capacity: 2 }, c2: {} },
    });
    await city.commit("o1 c1");
    expect(await city.commit("o2 c1", "o3 c1", "o4 c2")).toEqual(committed("o3 c1 courier-full"));
    expect(await city.active()).toEqual(["o1 c1", "o2 c1", "o4 c2"]);
  });

  test("is not made again for the courier who declined", async () => {
    await fillCity(db, "madrid", { orders: ["o1"], couriers: ["c1", "c2"] });
    await city.commit("o1 c1");
    expect(await city.act("decline_order", "o1", "c1")).toBe("done");
    const { orders } = await city.snapshot();
    expect(orders[0]).toMatchObject({ courierId: undefined, declinedBy: ["c1"] });
    expect(await city.commit("o1 c1")).toEqual(committed("o1 c1 courier-declined"));
    expect(await city.commit("o1 c2")).toEqual(committed());
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
      decisions: [decisionOf("o1 c1")],
    };
    expect(await city.fence.commit(request, within())).toEqual(committed("o1 c1 order-gone"));
    expect(await city.fence.commit(request, within())).toEqual(committed("o1 c1 order-gone"));
  });
});

describe("the company's services", () => {
  test("take an order through its life, and the courier is idle after the last one", async () => {
    await fillCity(db, "madrid", { orders: ["o1", "o2"], couriers: ["c1"] });
    await city.commit("o1 c1 1", "o2 c1 2");
    expect(await city.accept("o1", "c1")).toBe("done");
    expect(await city.accept("o2", "c1")).toBe("done");
    const { couriers, orders } = await city.snapshot();
    expect(orders[0]?.acceptedAtMs).toBeGreaterThan(Date.now() - 60_000);
    expect(couriers[0]).toMatchObject({
      activeLoad: 2,
      unacknowledged: 0,
      freeAtMs: Date.parse("2030-01-01T00:00:00.250Z"),
      freeLatitude: 40.5,
      freeLongitude: -3.6,
    });
    expect(await city.act("pick_up_order", "o1", "c1", null)).toBe("done");
    expect((await city.snapshot()).orders.map(({ orderId }) => orderId)).toEqual(["o2"]);
    expect(await city.act("deliver_order", "o1", "c1", null)).toBe("done");
    expect(await city.act("deliver_order", "o1", "c1", null)).toBe("done");
    expect((await city.snapshot()).couriers[0]).toMatchObject({
      activeLoad: 1,
      freeLatitude: 40.5,
    });
    expect(await city.act("cancel_order", "o2")).toBe("done");
    expect((await city.snapshot()).couriers[0]).toMatchObject({
      activeLoad: 0,
      freeAtMs: undefined,
      freeLatitude: undefined,
    });
  });

  test("are ignored when the world has moved on", async () => {
    await fillCity(db, "madrid", { orders: ["o1", "o2"], couriers: ["c1", "c2"] });
    await city.commit("o1 c1");
    expect(await city.accept("o1", "c2")).toBe("ignored");
    expect(await city.act("pick_up_order", "o1", "c2", null)).toBe("ignored");
    expect(await city.act("deliver_order", "o1", "c1", null)).toBe("ignored");
    expect(await city.act("decline_order", "o2", "c1")).toBe("ignored");
    await city.act("pick_up_order", "o1", "c1", null);
    expect(await city.act("cancel_order", "o1")).toBe("ignored");
    expect(await city.accept("o9", "c1")).toBe("ignored");
  });
});

describe("a commit and a cancellation at once", () => {
  test("wait for each other: a decision for the cancelled order is dropped", async () => {
    await fillCity(db, "madrid", { orders: ["o1"], couriers: ["c1"] });
    const cancelling = await db.connect();
    await cancelling.query(`START TRANSACTION; UPDATE orders SET status = 'cancelled' WHERE id = 'o1'`);
    const committing = city.commit("o1 c1");
    await untilWaiting();
    await cancelling.query("COMMIT");
    expect(await committing).toEqual(committed("o1 c1 order-gone"));
  });

  test("leave nothing active on a cancelled order, whichever comes first, many times over", async () => {
    const orders = Array.from({ length: 30 }, (_, index) => `o${index}`);
    await fillCity(db, "madrid", { orders, couriers: { c1: { capacity: 1_000 } } });
    for (const order of orders) {
      const [outcome, cancelled] = await Promise.all([
        city.commit(`${order} c1`),
        city.act("cancel_order", order),
      ]);
      expect([outcome.kind, cancelled]).toEqual(["committed", "done"]);
    }
    expect(await city.active()).toEqual([]);
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
