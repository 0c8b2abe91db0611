import type { Row } from "../../db/pool.ts";
import type { CityRows, FakeTables } from "./fake-tables.ts";

/**
 * The data contract on tables in memory: two couriers who are always there, orders that are placed and delivered. Small,
 * but decisions conflict in it: an order that one tick took is gone for the next, and is never given to another.
 */

export const COURIERS = ["courier-1", "courier-2"] as const;
const CAPACITY = 3;
const DAY_MS = 86_400_000;

/** How many orders are on their way with each courier. */
export function activeLoads({ assignments, orders }: CityRows): ReadonlyMap<string, number> {
  const loads = new Map<string, number>();
  for (const order of orders.keys()) {
    const courier = assignments.get(order)?.courier;
    if (courier !== undefined) loads.set(courier, (loads.get(courier) ?? 0) + 1);
  }
  return loads;
}

export function capacityOf(courier: string): number {
  return (COURIERS as readonly string[]).includes(courier) ? CAPACITY : 0;
}

export function openOrders({ orders, assignments }: CityRows): readonly Row[] {
  const rows: Row[] = [];
  for (const [order_id, { placedAtMs }] of orders) {
    rows.push({
      order_id,
      store_id: "store",
      store_latitude: 0,
      store_longitude: 0,
      latitude: 0.001,
      longitude: 0.001,
      placed_at: new Date(placedAtMs),
      ready_at: new Date(placedAtMs),
      vehicles: null,
      courier_id: assignments.get(order_id)?.courier ?? null,
      assigned_at: assignments.has(order_id) ? new Date(placedAtMs) : null,
      accepted_at: null,
      reassignments: 0,
      declined_by: null,
    });
  }
  return rows;
}

export function availableCouriers(city: CityRows, nowMs: number): readonly Row[] {
  const loads = activeLoads(city);
  return COURIERS.map((courier_id) => ({
    courier_id,
    latitude: 0,
    longitude: 0,
    position_at: new Date(nowMs),
    vehicle: "",
    capacity: CAPACITY,
    active_load: loads.get(courier_id) ?? 0,
    unacknowledged: 0,
    free_at: (loads.get(courier_id) ?? 0) > 0 ? new Date(nowMs) : null,
    free_latitude: 0,
    free_longitude: 0,
    shift_ends_at: new Date(nowMs + DAY_MS),
  }));
}

/** Applies what can be applied, one by one; `dropped` is JSON, or null when all of it was. */
export function applyDecisions(
  tables: FakeTables,
  input: { readonly city: string; readonly tick: bigint; readonly decisions: string },
): { readonly sent: number; readonly dropped: string | null } {
  const decisions = JSON.parse(input.decisions) as readonly {
    readonly order: string;
    readonly courier: string;
  }[];
  const dropped = decisions.flatMap(({ order, courier }) => {
    const because = refusal(tables.city(input.city), order, courier);
    if (because === undefined) tables.assign(input.city, { order, courier, tick: input.tick });
    return because === undefined ? [] : [{ order, courier, because }];
  });
  return { sent: decisions.length, dropped: dropped.length === 0 ? null : JSON.stringify(dropped) };
}

function refusal(city: CityRows, order: string, courier: string): string | undefined {
  if (!city.orders.has(order)) return "order-gone";
  if (city.assignments.has(order)) return "order-taken";
  if (capacityOf(courier) === 0) return "courier-gone";
  return (activeLoads(city).get(courier) ?? 0) >= CAPACITY ? "courier-full" : undefined;
}
