import type { AvailableCourierRow, OpenOrderRow } from "../snapshot.ts";

/** What a city's rows in the two views say that cannot be. Pure; sentences, the same one once. */
export function rowMistakes(city: {
  readonly nowMs: number;
  readonly orders: readonly OpenOrderRow[];
  readonly couriers: readonly AvailableCourierRow[];
}): readonly string[] {
  const { nowMs, orders, couriers } = city;
  const mistakes = new Set<string>();
  const held = new Map<string, number>();
  for (const { courierId } of orders) {
    if (courierId !== undefined) held.set(courierId, (held.get(courierId) ?? 0) + 1);
  }
  for (const order of orders) for (const mistake of orderMistakes(order, nowMs)) mistakes.add(mistake);
  for (const courier of couriers) {
    for (const mistake of courierMistakes(courier, nowMs, held.get(courier.courierId) ?? 0))
      mistakes.add(mistake);
  }
  const orderTwice = repeated(orders.map(({ orderId }) => orderId));
  if (orderTwice !== undefined) {
    mistakes.add(`open_orders shows order ${orderTwice} more than once: a join finds several rows for it`);
  }
  const courierTwice = repeated(couriers.map(({ courierId }) => courierId));
  if (courierTwice !== undefined) {
    mistakes.add(
      `available_couriers shows courier ${courierTwice} more than once: a join finds several rows`,
    );
  }
  return [...mistakes];
}

const ID_LENGTH_MAX = 64;
/** Clocks of a company's machines differ by seconds; time zones by a quarter of an hour at least. */
const CLOCK_TOLERANCE_MS = 10 * 60_000;

function* orderMistakes(order: OpenOrderRow, nowMs: number): Generator<string> {
  const { orderId, storeId, courierId, acceptedAtMs, reassignments } = order;
  if (!isId(orderId) || !isId(storeId)) yield "open_orders: an id has 1 to 64 characters";
  if (!isPlace(order.storeLatitude, order.storeLongitude) || !isPlace(order.latitude, order.longitude)) {
    yield "open_orders: a latitude is from -90 to 90 and a longitude from -180 to 180, in degrees";
  }
  if (order.placedAtMs > nowMs + CLOCK_TOLERANCE_MS) {
    yield "open_orders: an order was placed in the future: give placed_at in UTC";
  }
  if (courierId === undefined && acceptedAtMs !== undefined) {
    yield "open_orders: accepted_at without courier_id: NULL where nobody has the order";
  }
  if (!Number.isInteger(reassignments) || reassignments < 0)
    yield "open_orders: reassignments is a count from 0";
  if (!isTexts(order.vehicles))
    yield 'open_orders: vehicles is a JSON array of texts, such as ["car"], or NULL';
  if (!isTexts(order.declinedBy)) {
    yield 'open_orders: declined_by is a JSON array of courier ids as texts, such as ["7"], or NULL';
  }
}

function* courierMistakes(courier: AvailableCourierRow, nowMs: number, held: number): Generator<string> {
  const { activeLoad, unacknowledged, capacity, freeAtMs, freeLatitude, freeLongitude } = courier;
  if (!isId(courier.courierId)) yield "available_couriers: an id has 1 to 64 characters";
  if (!isPlace(courier.latitude, courier.longitude)) {
    yield "available_couriers: a latitude is from -90 to 90 and a longitude from -180 to 180, in degrees";
  }
  if (courier.positionAtMs > nowMs + CLOCK_TOLERANCE_MS) {
    yield "available_couriers: a position is from the future: give position_at in UTC";
  }
  if (courier.shiftEndsAtMs <= nowMs) {
    yield "available_couriers shows a courier whose shift is over: leave out who is not on shift, in UTC";
  }
  if (![activeLoad, unacknowledged, capacity].every((count) => Number.isInteger(count) && count >= 0)) {
    yield "available_couriers: capacity, active_load and unacknowledged are counts from 0";
  }
  if (unacknowledged > activeLoad) yield "available_couriers: unacknowledged is a part of active_load";
  if (activeLoad < held) {
    yield "available_couriers: active_load is less than the orders that open_orders shows with the courier";
  }
  if (freeAtMs !== undefined && activeLoad === 0) {
    yield "available_couriers: free_at is NULL for a courier without load";
  }
  if ((freeLatitude === undefined) !== (freeLongitude === undefined)) {
    yield "available_couriers: free_latitude and free_longitude are both there or both NULL";
  }
}

function isId(id: string): boolean {
  return id.length > 0 && id.length <= ID_LENGTH_MAX && id !== "null";
}

function isPlace(latitude: number, longitude: number): boolean {
  return Math.abs(latitude) <= 90 && Math.abs(longitude) <= 180;
}

function isTexts(value: unknown): boolean {
  return Array.isArray(value) && value.every((item) => typeof item === "string" && item !== "");
}

function repeated(ids: readonly string[]): string | undefined {
  const seen = new Set<string>();
  return ids.find((id) => seen.size === seen.add(id).size);
}
