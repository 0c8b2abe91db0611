import { randomStream, uniform, type Random } from "../../../local/traffic/random.ts";
import type { DispatchSnapshot, Point } from "../../../worker/dispatch/model.ts";
import { aCourier, anOrder, aSnapshot, at, MINUTE_MS, NOW_MS } from "../../support/dispatch-snapshot.ts";

/**
 * Cities at one moment, drawn from a seed. A square of 12 km; couriers everywhere in it, two in five of them busy for up to
 * ten more minutes; orders ready between five minutes ago and twenty minutes from now, placed 15 minutes before that.
 */
export type Instance = { readonly orders: number; readonly couriers: number; readonly kind: Kind };

/**
 * Where stores are. `uniform`: everywhere. `clustered`: at twelve malls, 200 m wide. `tight`: at twelve malls that are all within
 * 2.5 km of the middle, so that everybody wants the same couriers; and the tightest with as many couriers as orders.
 */
export type Kind = "uniform" | "clustered" | "tight";

const KINDS: readonly Kind[] = ["uniform", "clustered", "tight"];
const SIZES = [
  [200, 400],
  [500, 1_000],
  [1_000, 2_000],
  [2_000, 2_000],
  [2_000, 10_000],
  [5_000, 10_000],
] as const;

export const INSTANCES: readonly Instance[] = SIZES.flatMap(([orders, couriers]) =>
  KINDS.map((kind) => ({ orders, couriers, kind })),
);

const HALF_SIDE_METERS = 6_000;
const MIDDLE_METERS = 2_500;
const MALLS = 12;
const MALL_HALF_METERS = 100;
const ORDERS_PER_STORE = 3;
const BUSY_SHARE = 0.4;
const DECLINED_SHARE = 0.05;

type Meters = { readonly east: number; readonly north: number };

export function nameOf({ orders, couriers, kind }: Instance): string {
  return `${orders}x${couriers} ${kind}`;
}

export function snapshotOf(instance: Instance, seed: number): DispatchSnapshot {
  const random = randomStream(seed, nameOf(instance));
  const stores = storesOf(instance, random);
  const orders = Array.from({ length: instance.orders }, (_, index) => {
    const store = Math.floor(random() * stores.length);
    const readyAtMs = NOW_MS + Math.round(uniform(random, { min: -5, max: 20 }) * MINUTE_MS);
    return anOrder(`order-${index}`, {
      storeId: `store-${store}`,
      store: pointOf(stores[store] ?? { east: 0, north: 0 }),
      door: pointOf(anywhere(random)),
      placedAtMs: Math.min(NOW_MS, readyAtMs - 15 * MINUTE_MS),
      readyAtMs,
      declinedBy: random() < DECLINED_SHARE ? [`courier-${Math.floor(random() * instance.couriers)}`] : [],
    });
  });
  const couriers = Array.from({ length: instance.couriers }, (_, index) => {
    const position = pointOf(anywhere(random));
    if (random() >= BUSY_SHARE) return aCourier(`courier-${index}`, { position });
    return aCourier(`courier-${index}`, {
      position,
      load: 1,
      freeAtMs: NOW_MS + Math.round(uniform(random, { min: 0, max: 10 }) * MINUTE_MS),
      freePosition: pointOf(anywhere(random)),
    });
  });
  return aSnapshot(orders, couriers);
}

function storesOf({ orders, kind }: Instance, random: Random): readonly Meters[] {
  const stores = Math.ceil(orders / ORDERS_PER_STORE);
  if (kind === "uniform") return Array.from({ length: stores }, () => anywhere(random));
  const malls = Array.from({ length: MALLS }, () =>
    kind === "tight" ? inTheMiddle(random) : anywhere(random),
  );
  return Array.from({ length: stores }, (_, index) => {
    const { east, north } = malls[index % MALLS] ?? { east: 0, north: 0 };
    const within = { min: -MALL_HALF_METERS, max: MALL_HALF_METERS };
    return { east: east + uniform(random, within), north: north + uniform(random, within) };
  });
}

function anywhere(random: Random): Meters {
  const side = { min: -HALF_SIDE_METERS, max: HALF_SIDE_METERS };
  return { east: uniform(random, side), north: uniform(random, side) };
}

function inTheMiddle(random: Random): Meters {
  const angle = 2 * Math.PI * random();
  const meters = MIDDLE_METERS * Math.sqrt(random());
  return { east: meters * Math.cos(angle), north: meters * Math.sin(angle) };
}

function pointOf({ east, north }: Meters): Point {
  return at(east, north);
}
