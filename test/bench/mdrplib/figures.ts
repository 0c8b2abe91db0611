import type { PlayedDay } from "./player.ts";

/** Quality of service of one day, or the mean of several; minutes, and the library's currency. */
export type Figures = {
  readonly undeliveredPercent: number;
  readonly clickToDoor: number;
  readonly clickToDoorP90: number;
  readonly readyToPickup: number;
  readonly ordersPerBundle: number;
  readonly costPerOrder: number;
};

/** As the library's evaluator computes them. Orders that were cancelled count nowhere. */
export function figuresOf({ day, couriers, undelivered, cancelled }: PlayedDay): Figures {
  const trips = couriers.flatMap((courier) => courier.trips.filter(({ stops }) => stops.length > 0));
  const deliveries = trips.flatMap(({ pickupMinute, stops }) =>
    stops.map(({ order, dropoffMinute }) => ({
      clickToDoor: dropoffMinute - order.placedAtMinute,
      readyToPickup: pickupMinute - order.readyAtMinute,
    })),
  );
  const clickToDoor = deliveries.map((delivery) => delivery.clickToDoor).sort((a, b) => a - b);
  const pay = couriers.map(({ trips: own, onAtMinute, offAtMinute }) => {
    const orders = own.reduce((sum, { stops }) => sum + stops.length, 0);
    const guaranteed = ((offAtMinute - onAtMinute) / 60) * day.guaranteedPayPerHour;
    return Math.max(orders * day.payPerOrder, guaranteed);
  });
  return {
    undeliveredPercent: (100 * undelivered.length) / Math.max(1, day.orders.length - cancelled.length),
    clickToDoor: mean(clickToDoor),
    clickToDoorP90: quantile(clickToDoor, 0.9),
    readyToPickup: mean(deliveries.map((delivery) => delivery.readyToPickup)),
    ordersPerBundle: deliveries.length / Math.max(1, trips.length),
    costPerOrder: pay.reduce((sum, one) => sum + one, 0) / Math.max(1, deliveries.length),
  };
}

/** Every day counts the same, as in the published tables. */
export function meanOf(days: readonly Figures[]): Figures {
  const of = (figure: keyof Figures): number => mean(days.map((day) => day[figure]));
  return {
    undeliveredPercent: of("undeliveredPercent"),
    clickToDoor: of("clickToDoor"),
    clickToDoorP90: of("clickToDoorP90"),
    readyToPickup: of("readyToPickup"),
    ordersPerBundle: of("ordersPerBundle"),
    costPerOrder: of("costPerOrder"),
  };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
}

/** Interpolated between neighbours, as pandas does. */
function quantile(sorted: readonly number[], share: number): number {
  const place = share * Math.max(0, sorted.length - 1);
  const below = sorted[Math.floor(place)] ?? 0;
  return below + (place % 1) * ((sorted[Math.ceil(place)] ?? below) - below);
}
