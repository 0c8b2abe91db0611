import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import { audit } from "../../../db/audit.ts";
import { randomStream } from "../../../local/traffic/random.ts";
import { committed, openDecidingCity, type DecidingCity } from "../../support/deciding-city.ts";
import { fillCity } from "../../support/delivery-city.ts";
import {
  freshDatabase,
  MYSQL_START_LIMIT_MS,
  startTestMysql,
  within,
  type TestDatabase,
  type TestMysql,
} from "../../support/mysql.ts";

/** Bundles, and orders that are taken from one courier and given to another. */

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

const courierRow = async (id: string) =>
  (await city.snapshot()).couriers.find(({ courierId }) => courierId === id);
const orderRow = async (id: string) => (await city.snapshot()).orders.find(({ orderId }) => orderId === id);

describe("a bundle", () => {
  test("keeps the order of its doors", async () => {
    await fillCity(db, "madrid", { orders: ["o1", "o2", "o3"], couriers: { c1: { capacity: 3 } } });
    expect(await city.commit("o1 c1 3", "o2 c1 1", "o3 c1 2")).toEqual(committed());
    const rows = await db.sql("SELECT order_id, stop FROM assignment ORDER BY stop");
    expect(rows.map((row) => `${row["order_id"]} ${row["stop"]}`)).toEqual(["o2 1", "o3 2", "o1 3"]);
  });

  test("that lost an order to a cancellation stands with the others, in their order", async () => {
    await fillCity(db, "madrid", { orders: ["o1", "o2", "o3"], couriers: { c1: { capacity: 3 } } });
    await city.act("cancel_order", "o2");
    expect(await city.commit("o1 c1 1", "o2 c1 2", "o3 c1 3")).toEqual(committed("o2 c1 order-gone"));
    const rows = await db.sql("SELECT order_id, stop FROM assignment WHERE state = 'active' ORDER BY stop");
    expect(rows.map((row) => `${row["order_id"]} ${row["stop"]}`)).toEqual(["o1 1", "o3 3"]);
  });

  test("that is too large for its courier loses its last doors, wherever they stand in the list", async () => {
    await fillCity(db, "madrid", { orders: ["o1", "o2", "o3"], couriers: { c1: { capacity: 2 } } });
    expect(await city.commit("o1 c1 3", "o2 c1 2", "o3 c1 1")).toEqual(committed("o1 c1 courier-full"));
    expect(await city.active()).toEqual(["o2 c1", "o3 c1"]);
  });

  test("may be made of an order that another courier has and one that nobody has", async () => {
    await fillCity(db, "madrid", { orders: ["o1", "o2"], couriers: ["c1", "c2"] });
    await city.commit("o1 c1");
    expect(await city.commit("o1 c2 2 c1", "o2 c2 1")).toEqual(committed());
    expect(await city.active()).toEqual(["o1 c2", "o2 c2"]);
  });

  test("of a version that knew no stops is what it was: the first door", async () => {
    await fillCity(db, "madrid", { orders: ["o1"], couriers: ["c1"] });
    const decisions = JSON.stringify([{ order: "o1", courier: "c1" }]);
    const [rows] = await city.worker.call(
      "CALL commit_tick('madrid', 1, 1, 1, UUID(), NULL, 1000, 1000, 0, FALSE, ?)",
      [decisions],
      within(),
    );
    expect(rows?.[0]).toMatchObject({ outcome: "committed", dropped: null });
    expect(await db.sql("SELECT order_id, stop FROM assignment")).toEqual([{ order_id: "o1", stop: 1 }]);
  });
});

describe("a decision that takes an order from its courier", () => {
  beforeEach(async () => {
    await fillCity(db, "madrid", {
      orders: ["o1", "o2"],
      couriers: { c1: {}, c2: {}, c3: {}, full: { capacity: 0 } },
    });
  });

  test("moves it while that courier has not accepted it, whatever else there is to do", async () => {
    await city.commit("o1 c1 1", "o2 c1 2");
    expect(await city.accept("o2", "c1")).toBe("done");
    expect(await city.commit("o1 c2 1 c1")).toEqual(committed());
    expect(await city.active()).toEqual(["o1 c2", "o2 c1"]);
    expect(await orderRow("o1")).toMatchObject({
      courierId: "c2",
      reassignments: 1,
      acceptedAtMs: undefined,
    });
    expect(await orderRow("o2")).toMatchObject({ courierId: "c1", reassignments: 0 });
  });

  test("moves an accepted one that is all its courier has to do, who is then free at once", async () => {
    await city.commit("o1 c1");
    await city.accept("o1", "c1");
    expect(await courierRow("c1")).toMatchObject({ activeLoad: 1, freeLatitude: 40.5 });
    expect(await city.commit("o1 c2 1 c1")).toEqual(committed());
    expect(await courierRow("c1")).toMatchObject({
      activeLoad: 0,
      unacknowledged: 0,
      freeAtMs: undefined,
      freeLatitude: undefined,
    });
    expect(await courierRow("c2")).toMatchObject({ activeLoad: 1, unacknowledged: 1 });
  });

  test("leaves an accepted one with a courier who has another one besides", async () => {
    await city.commit("o1 c1 1", "o2 c1 2");
    await city.accept("o1", "c1");
    expect(await city.commit("o1 c2 1 c1")).toEqual(committed("o1 c2 order-accepted"));
    expect(await city.active()).toEqual(["o1 c1", "o2 c1"]);
  });

  test("is dropped when somebody else has it by now", async () => {
    await city.commit("o1 c1");
    expect(await city.commit("o1 c3 1 c2")).toEqual(committed("o1 c3 order-taken"));
    expect(await city.commit("o1 c2")).toEqual(committed("o1 c2 order-taken"));
    expect(await city.commit("o1 c1 1 c1")).toEqual(committed("o1 c1 order-taken"));
    expect(await city.active()).toEqual(["o1 c1"]);
  });

  test("gives it to its new courier when the old one has declined it meanwhile", async () => {
    await city.commit("o1 c1");
    await city.act("decline_order", "o1", "c1");
    expect(await city.commit("o1 c2 1 c1")).toEqual(committed());
    expect(await orderRow("o1")).toMatchObject({ courierId: "c2", reassignments: 0, declinedBy: ["c1"] });
  });

  test("comes too late once it is picked up", async () => {
    await city.commit("o1 c1");
    await city.act("pick_up_order", "o1", "c1", null);
    expect(await city.commit("o1 c2 1 c1")).toEqual(committed("o1 c2 order-gone"));
  });

  test("is dropped alone, and the order stays where it is", async () => {
    await city.commit("o1 c1");
    expect(await city.commit("o1 full 1 c1", "o2 c2")).toEqual(committed("o1 full courier-full"));
    expect(await city.commit("o1 nobody 1 c1")).toEqual(committed("o1 nobody courier-gone"));
    expect(await city.active()).toEqual(["o1 c1", "o2 c2"]);
  });

  test("is found by the old courier's app to have come first", async () => {
    await city.commit("o1 c1");
    await city.accept("o1", "c1");
    await city.commit("o1 c2 1 c1");
    expect(await city.accept("o1", "c1")).toBe("ignored");
    expect(await city.act("pick_up_order", "o1", "c1", null)).toBe("ignored");
    expect(await city.act("pick_up_order", "o1", "c2", null)).toBe("done");
  });

  test("is counted, each time it is taken", async () => {
    await city.commit("o1 c1");
    await city.commit("o1 c2 1 c1");
    await city.commit("o1 c3 1 c2");
    expect(await orderRow("o1")).toMatchObject({ courierId: "c3", reassignments: 2 });
    await city.act("decline_order", "o1", "c3");
    await city.commit("o1 c1");
    expect(await orderRow("o1")).toMatchObject({ courierId: "c1", reassignments: 2 });
  });
});

describe("room", () => {
  beforeEach(async () => {
    await fillCity(db, "madrid", {
      orders: ["o1", "o2"],
      couriers: { c1: { capacity: 1 }, c2: { capacity: 1 } },
    });
  });

  test("that a list makes is used by it: two full couriers exchange their orders", async () => {
    await city.commit("o1 c1", "o2 c2");
    expect(await city.commit("o1 c2 1 c1", "o2 c1 1 c2")).toEqual(committed());
    expect(await city.active()).toEqual(["o1 c2", "o2 c1"]);
  });

  test("that a dropped decision would have made is not counted on", async () => {
    await city.commit("o1 c1");
    // o1 was to leave c1 for a courier that is gone; o2 must not join it there.
    expect(await city.commit("o1 nobody 1 c1", "o2 c1")).toEqual(
      committed("o1 nobody courier-gone", "o2 c1 courier-full"),
    );
    expect(await city.active()).toEqual(["o1 c1"]);
  });
});

describe("a commit that takes orders away, at once with what couriers do", () => {
  test("leaves every order with one courier or over, and no courier overloaded, many times over", async () => {
    const seed = Number(process.env["SEED"] ?? Math.floor(Math.random() * 2 ** 31));
    process.stderr.write(`reassignments: SEED=${seed}\n`);
    const random = randomStream(seed, "reassignments");
    const couriers = ["c1", "c2", "c3"];
    const someone = (): string => couriers[Math.floor(random() * couriers.length)]!;
    const orders = Array.from({ length: 60 }, (_, index) => `o${index}`);
    await fillCity(db, "madrid", {
      orders,
      couriers: Object.fromEntries(couriers.map((id) => [id, { capacity: 2 }])),
    });
    const seen = new Map<string, number>();
    for (let round = 0; round < 120; round++) {
      const open = (await city.snapshot()).orders.slice(0, 4);
      const decisions = open.map(({ orderId, courierId = "" }, index) =>
        `${orderId} ${someone()} ${index + 1} ${courierId}`.trim(),
      );
      const deeds = open.flatMap(({ orderId, courierId }) => {
        const dice = random();
        if (courierId === undefined) return [];
        if (dice < 0.3) return [city.accept(orderId, courierId)];
        if (dice < 0.5) return [city.act("decline_order", orderId, courierId)];
        if (dice < 0.6) return [city.act("cancel_order", orderId)];
        if (dice < 0.9) return [carry(orderId, courierId)];
        return [];
      });
      const [outcome] = await Promise.all([city.commit(...decisions), ...deeds]);
      expect(outcome.kind).toBe("committed");
      if (outcome.kind !== "committed") continue;
      for (const { because } of outcome.dropped) seen.set(because, (seen.get(because) ?? 0) + 1);
    }
    // It was hard enough to meet the two that only a courier's doings in between can bring about.
    expect([...seen.keys()]).toEqual(expect.arrayContaining(["order-gone", "order-taken"]));
    const moved = await db.sql("SELECT COUNT(*) AS moved FROM assignment WHERE state = 'reassigned'");
    expect(Number(moved[0]?.["moved"])).toBeGreaterThan(10);
  }, 60_000);

  async function carry(order: string, courier: string): Promise<void> {
    const outcome = await city.act("pick_up_order", order, courier, null);
    if (outcome === "done") expect(await city.act("deliver_order", order, courier, null)).toBe("done");
  }
});
