import type { Courier, Order, Point } from "../../worker/dispatch/model.ts";
import type { OwnDispatcher } from "../../worker/dispatchers/own-dispatcher.ts";

/**
 * Gives each order, the oldest first, to the nearest courier without work who is at most `reach-meters` from the store
 * (default 2000). An example of a company's own dispatcher, as docs/own-dispatcher.md explains it.
 */
export const dispatch: OwnDispatcher = (snapshot, parameters, deadline, own) => {
  const reachMeters = Number(own["reach-meters"] ?? 2_000);
  const isOpen = ({ assignment, readyAtMs }: Order): boolean =>
    assignment === undefined && readyAtMs <= snapshot.nowMs + parameters.horizonMs;
  const oldestFirst = snapshot.orders
    .filter(isOpen)
    .toSorted((a, b) => a.placedAtMs - b.placedAtMs || (a.id < b.id ? -1 : 1));
  const free = new Set(snapshot.couriers.filter(({ load, capacity }) => load === 0 && capacity > 0));
  const decisions = [];
  for (const order of oldestFirst) {
    if (deadline.hasPassed()) return { decisions, degraded: true };
    const courier = nearest(order, free, reachMeters);
    if (courier === undefined) continue;
    free.delete(courier);
    decisions.push({ order: order.id, courier: courier.id, stop: 1, from: undefined });
  }
  return { decisions };
};

function nearest(order: Order, couriers: ReadonlySet<Courier>, reachMeters: number): Courier | undefined {
  let best: { readonly courier: Courier; readonly meters: number } | undefined;
  for (const courier of couriers) {
    const meters = metersBetween(courier.position, order.store);
    const isNearer =
      best === undefined || meters < best.meters || (meters === best.meters && courier.id < best.courier.id);
    const isAllowed = meters <= reachMeters && !order.declinedBy.includes(courier.id);
    if (isAllowed && isNearer) best = { courier, meters };
  }
  return best?.courier;
}

/** Good enough within a city. */
function metersBetween(a: Point, b: Point): number {
  const metersPerDegree = 111_195;
  const north = (a.latitude - b.latitude) * metersPerDegree;
  const east = (a.longitude - b.longitude) * metersPerDegree * Math.cos((a.latitude * Math.PI) / 180);
  return Math.hypot(north, east);
}
