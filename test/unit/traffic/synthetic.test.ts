import { describe, expect, test } from "@jest/globals";
import type { Happening } from "../../../local/traffic/city-script.ts";
import { CityWorld } from "../../../local/traffic/city-world.ts";
import { demandShare, HOUR_MS, MINUTE_MS } from "../../../local/traffic/demand.ts";
import { distanceMeters } from "../../../local/traffic/geometry.ts";
import { randomStream } from "../../../local/traffic/random.ts";
import { SYNTHETIC_START_MS, syntheticScript } from "../../../local/traffic/synthetic.ts";
import { PRESET_CITY_NAMES, syntheticCity } from "../../../local/traffic/synthetic-city.ts";

const seed = Number(process.env["SEED"] ?? Math.floor(Math.random() * 1e9));
const replay = `replay with SEED=${seed}`;

/** Plays a city with the simplest dispatcher: every waiting order goes to the first idle courier who has not declined it. */
function play(input: {
  readonly seed: number;
  readonly hours: number;
  readonly stepMs: number;
  readonly prefix?: string;
}): readonly Happening[] {
  const city = syntheticCity("lisbon");
  const orderPrefix = input.prefix ?? "";
  const world = new CityWorld(
    syntheticScript({ city, seed: input.seed, startMs: SYNTHETIC_START_MS, orderPrefix }),
  );
  const history: Happening[] = [];
  const waiting = new Set<string>();
  const asked = new Set<string>();
  const declined = new Set<string>();
  const endMs = SYNTHETIC_START_MS + input.hours * HOUR_MS;
  // Decisions fall on whole minutes, however finely time is cut.
  for (let nowMs = SYNTHETIC_START_MS; nowMs <= endMs; nowMs += input.stepMs) {
    for (const happening of world.advance(nowMs)) {
      history.push(happening);
      if (happening.kind === "order-placed") waiting.add(happening.order.id);
      if (happening.kind === "order-cancelled") waiting.delete(happening.orderId);
      if (happening.kind === "assignment-declined") {
        waiting.add(happening.orderId);
        declined.add(`${happening.orderId} ${happening.courierId}`);
      }
      if ("courierId" in happening) asked.delete(happening.courierId);
    }
    if (nowMs % MINUTE_MS !== 0) continue;
    const idle = world.couriers().filter(({ id, free }) => free === undefined && !asked.has(id));
    for (const orderId of [...waiting].sort()) {
      const index = idle.findIndex(({ id }) => !declined.has(`${orderId} ${id}`));
      const [courier] = index < 0 ? [] : idle.splice(index, 1);
      if (courier === undefined) continue;
      waiting.delete(orderId);
      asked.add(courier.id);
      world.assign({ orderId, courierId: courier.id, atMs: nowMs });
    }
  }
  return history;
}

function count(history: readonly Happening[], kind: Happening["kind"]): number {
  return history.filter((happening) => happening.kind === kind).length;
}

describe("a synthetic city", () => {
  test("has the same history for the same seed, however finely time is cut", () => {
    const coarse = play({ seed, hours: 3, stepMs: MINUTE_MS });
    const fine = play({ seed, hours: 3, stepMs: MINUTE_MS / 4 });
    expect({ replay, history: fine }).toEqual({ replay, history: coarse });
    expect(count(coarse, "order-delivered")).toBeGreaterThan(20);
  });

  test("has another history for another seed", () => {
    const one = play({ seed, hours: 1, stepMs: MINUTE_MS });
    const other = play({ seed: seed + 1, hours: 1, stepMs: MINUTE_MS });
    expect({ replay, history: other }).not.toEqual({ replay, history: one });
  });

  test("has the same history under another prefix of its order ids", () => {
    const plain = play({ seed, hours: 1, stepMs: MINUTE_MS });
    const prefixed = play({ seed, hours: 1, stepMs: MINUTE_MS, prefix: "p-" });
    expect(JSON.parse(JSON.stringify(prefixed).replaceAll('"p-o', '"o'))).toEqual(
      JSON.parse(JSON.stringify(plain)),
    );
  });

  test("sees some couriers decline and some customers cancel, but few", () => {
    const history = play({ seed, hours: 48, stepMs: MINUTE_MS });
    const placed = count(history, "order-placed");
    const shares = {
      delivered: count(history, "order-delivered") / placed,
      unwilling:
        history.filter((event) => event.kind === "assignment-declined" && event.because === "unwilling")
          .length / placed,
      cancelled: count(history, "order-cancelled") / placed,
    };
    expect(placed).toBeGreaterThan(200);
    expect({ replay, ...shares, enough: shares.delivered > 0.9 }).toMatchObject({ enough: true });
    expect({ replay, ...shares, some: shares.unwilling > 0 && shares.unwilling < 0.1 }).toMatchObject({
      some: true,
    });
    expect({ replay, ...shares, some: shares.cancelled > 0 && shares.cancelled < 0.1 }).toMatchObject({
      some: true,
    });
  });

  test("has orders within its first seconds", () => {
    for (const name of PRESET_CITY_NAMES) {
      const script = syntheticScript({
        city: syntheticCity(name),
        seed,
        startMs: SYNTHETIC_START_MS,
        orderPrefix: "",
      });
      const early = new CityWorld(script).advance(SYNTHETIC_START_MS + 20_000);
      expect({ name, replay, orders: count(early, "order-placed") > 0 }).toEqual({
        name,
        replay,
        orders: true,
      });
      expect({ name, replay, couriers: count(early, "shift-started") > 10 }).toEqual({
        name,
        replay,
        couriers: true,
      });
    }
  });

  test("has far more orders at lunch and dinner than in the afternoon and at night", () => {
    const perHour = new Map<number, number>();
    for (let run = 0; run < 20; run++) {
      const script = syntheticScript({
        city: syntheticCity("madrid"),
        seed: seed + run,
        startMs: 0,
        orderPrefix: "",
      });
      for (const order of script.orders) {
        if (order.placedAtMs >= 24 * HOUR_MS) break;
        const hour = Math.floor(order.placedAtMs / HOUR_MS);
        perHour.set(hour, (perHour.get(hour) ?? 0) + 1);
      }
    }
    const at = (hour: number): number => perHour.get(hour) ?? 0;
    expect({ replay, peaks: at(13) > 1.5 * at(16) && at(20) > 2 * at(16) }).toEqual({ replay, peaks: true });
    expect({ replay, quiet: at(4) < 0.2 * at(20) }).toEqual({ replay, quiet: true });
    // 90 orders an hour at the peak, 20 runs.
    expect({ replay, rate: Math.abs(at(20) / 20 / 90 - 1) < 0.15 }).toEqual({ replay, rate: true });
  });

  test("keeps enough couriers on shift for its orders at every hour", () => {
    const city = syntheticCity("paris");
    const world = new CityWorld(
      syntheticScript({ city, seed, startMs: SYNTHETIC_START_MS, orderPrefix: "" }),
    );
    for (let hour = 0; hour < 48; hour++) {
      world.advance(SYNTHETIC_START_MS + hour * HOUR_MS);
      const onShift = world.couriers().length;
      // Half an hour of a courier per order.
      const needed = 0.4 * city.ordersPerHourAtPeak * demandShare(world.nowMs);
      expect({ replay, hour, onShift, needed, enough: onShift >= needed }).toMatchObject({ enough: true });
    }
  });

  test("that is unknown gets a place and a size from its name", () => {
    expect(syntheticCity("gotham")).toEqual(syntheticCity("gotham"));
    expect(syntheticCity("gotham").center).not.toEqual(syntheticCity("metropolis").center);
    expect(syntheticCity("gotham").couriers).toBeGreaterThan(20);
  });

  test("puts its stores into clusters inside the city", () => {
    const city = syntheticCity("berlin");
    const { stores } = syntheticScript({ city, seed, startMs: 0, orderPrefix: "" });
    const neighbours = stores.map(
      (store) => stores.filter((other) => distanceMeters(store.position, other.position) < 300).length - 1,
    );
    expect({
      replay,
      crowded: neighbours.filter((number) => number >= 3).length >= stores.length / 3,
    }).toEqual({
      replay,
      crowded: true,
    });
    const furthest = Math.max(...stores.map(({ position }) => distanceMeters(position, city.center)));
    expect(furthest).toBeLessThan(city.radiusMeters + 500);
  });
});

describe("a random stream", () => {
  test("is the same for the same seed and keys, and another for any other", () => {
    const first = (...keys: readonly (string | number)[]): number[] => {
      const random = randomStream(seed, ...keys);
      return [random(), random(), random()];
    };
    expect(first("order", 1)).toEqual(first("order", 1));
    expect(first("order", 1)).not.toEqual(first("order", 2));
  });

  test("is even", () => {
    const random = randomStream(seed, "even");
    const tenths = Array.from({ length: 10 }, () => 0);
    for (let draw = 0; draw < 100_000; draw++) tenths[Math.floor(random() * 10)]! += 1;
    for (const hits of tenths)
      expect({ replay, even: Math.abs(hits - 10_000) < 600 }).toEqual({ replay, even: true });
  });
});
