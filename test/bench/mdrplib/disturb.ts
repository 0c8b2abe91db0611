import type { MdrpDay, MdrpOrder } from "../../../local/traffic/mdrplib.ts";
import { randomStream } from "../../../local/traffic/random.ts";

/** What may go otherwise than the recorded day says. Each happens by the seed, an order's or a courier's name, and nothing else. */
export type Disturbance = {
  readonly seed: number;
  /** Standard deviation of the time at which a meal is ready, about the time that the restaurant says. */
  readonly noiseMinutes: number;
  /** Share of offers that couriers take on. */
  readonly acceptance: number;
  /** Share of orders that are cancelled at some moment before they are ready. */
  readonly cancelled: number;
  /** Of so many couriers, one does not come; 0: all come. */
  readonly absentOneIn: number;
};

export const UNDISTURBED: Disturbance = {
  seed: 0,
  noiseMinutes: 0,
  acceptance: 1,
  cancelled: 0,
  absentOneIn: 0,
};

/** The day as it really went; what restaurants said is in `saysReadyAt`. */
export type DisturbedDay = {
  readonly day: MdrpDay;
  readonly saysReadyAt: ReadonlyMap<string, number>;
  readonly cancelledAt: ReadonlyMap<string, number>;
};

export function disturb(day: MdrpDay, disturbance: Disturbance): DisturbedDay {
  const orders = day.orders.map((order) => ({ ...order, readyAtMinute: readyAt(order, disturbance) }));
  const cancelledAt = new Map<string, number>();
  for (const order of orders) {
    const random = randomStream(disturbance.seed, "cancelled", order.id);
    if (random() >= disturbance.cancelled) continue;
    const span = order.readyAtMinute - order.placedAtMinute;
    cancelledAt.set(order.id, order.placedAtMinute + 1 + Math.floor(random() * span));
  }
  return {
    day: { ...day, orders, couriers: presentOf(day.couriers, disturbance) },
    saysReadyAt: new Map(day.orders.map(({ id, readyAtMinute }) => [id, readyAtMinute])),
    cancelledAt,
  };
}

function presentOf(couriers: MdrpDay["couriers"], { absentOneIn }: Disturbance): MdrpDay["couriers"] {
  return couriers.filter((_, index) => absentOneIn === 0 || (index + 1) % absentOneIn !== 0);
}

/** Whether the courier takes on an offer of which this is the first order. */
export function accepts(order: string, courier: string, { seed, acceptance }: Disturbance): boolean {
  return acceptance === 1 || randomStream(seed, "offer", order, courier)() < acceptance;
}

function readyAt(order: MdrpOrder, { seed, noiseMinutes }: Disturbance): number {
  if (noiseMinutes === 0) return order.readyAtMinute;
  const random = randomStream(seed, "ready", order.id);
  // Box and Muller's way from two uniform numbers to a normal one.
  const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  return Math.max(order.placedAtMinute + 1, Math.round(order.readyAtMinute + noiseMinutes * normal));
}
