import { assert } from "../../runtime/errors.ts";
import type { Log } from "../../runtime/log.ts";
import type { CustomerOrder, FreeAgain, Happening } from "./city-script.ts";
import type { CityWorld } from "./city-world.ts";
import type { CourierState } from "./courier-at-work.ts";
import type { Action, CourierRow, Feed, FreeRow, OrderRow } from "./feed.ts";
import type { TimeScale } from "./time-scale.ts";

/** What has happened in a city, written to the database. */

export type CityOnAir = {
  readonly city: string;
  readonly world: CityWorld;
  readonly scale: TimeScale;
  readonly feed: Feed;
  readonly log: Log;
};

/** Statements of one city under way at once. What one courier does always stays in order. */
const LANES_AT_ONCE = 4;

/**
 * Resolves when all of it is in the database. Couriers who deliver are moved to the door before the order is delivered:
 * whoever reads in between sees them busy there, and never idle where they were.
 */
export async function writeHappenings(
  air: CityOnAir,
  happenings: readonly Happening[],
  signal: AbortSignal,
): Promise<void> {
  const placed = happenings.flatMap((happening) =>
    happening.kind === "order-placed" ? [orderRow(air, happening.order)] : [],
  );
  await air.feed.writeOrders(air.city, placed, signal);
  await writeCouriers(air, couriersOf(happenings, ["shift-started", "order-delivered"]), signal);
  const lanes = lanesOf(happenings).values();
  const runLanes = async (): Promise<void> => {
    for (const lane of lanes) {
      for (const happening of lane) await carryOut(air, happening, signal);
    }
  };
  await Promise.all(Array.from({ length: LANES_AT_ONCE }, runLanes));
  const settled = ["order-delivered", "assignment-accepted", "assignment-declined"] as const;
  await writeCouriers(air, couriersOf(happenings, settled), signal);
}

/** Brings these couriers' rows up to what their apps report now. */
export async function writeCouriers(
  air: CityOnAir,
  ids: Iterable<string>,
  signal: AbortSignal,
): Promise<void> {
  const rows = [...ids].flatMap((id) => {
    const courier = air.world.courier(id);
    return courier === undefined ? [] : [courierRow(air, courier)];
  });
  await air.feed.writeCouriers(air.city, rows, signal);
}

/** Happenings that are one call of a procedure each. */
type Deed = Exclude<Happening, { readonly kind: "shift-started" | "order-placed" }>;

async function carryOut(air: CityOnAir, deed: Deed, signal: AbortSignal): Promise<void> {
  const action = actionOf(air, deed);
  const outcome = await air.feed.act(air.city, action, signal);
  const fields = { city: air.city, decision: deed.orderId, outcome, because: deed.kind };
  air.log.debug(fields, "happening reported");
  if (outcome === "done") return;
  air.log.info(fields, "happening came too late");
  // The order was cancelled or given to somebody else after this courier had been told of it, maybe as late as at the counter.
  if (deed.kind === "assignment-accepted" || deed.kind === "order-picked-up") {
    air.world.withdraw({ orderId: deed.orderId, courierId: deed.courierId, atMs: air.world.nowMs });
  }
}

function actionOf(air: CityOnAir, deed: Deed): Action {
  const { orderId } = deed;
  switch (deed.kind) {
    case "order-cancelled":
      return { kind: "cancel", orderId };
    case "assignment-declined":
      return { kind: "decline", orderId, courierId: deed.courierId };
    case "assignment-accepted":
      return { kind: "accept", orderId, courierId: deed.courierId, free: freeRow(air, deed.free) };
    case "order-picked-up":
      return { kind: "pick-up", orderId, courierId: deed.courierId, atMs: air.scale.toDatabaseMs(deed.atMs) };
    case "order-delivered":
      return { kind: "deliver", orderId, courierId: deed.courierId, atMs: air.scale.toDatabaseMs(deed.atMs) };
    default:
      return deed satisfies never;
  }
}

/** One lane per courier, in the order of what happened; a customer's cancellation goes in a lane of its order. */
function lanesOf(happenings: readonly Happening[]): readonly (readonly Deed[])[] {
  const lanes = new Map<string, Deed[]>();
  for (const happening of happenings) {
    if (happening.kind === "shift-started" || happening.kind === "order-placed") continue;
    const name = happening.kind === "order-cancelled" ? `order ${happening.orderId}` : happening.courierId;
    const lane = lanes.get(name) ?? [];
    lane.push(happening);
    lanes.set(name, lane);
  }
  return [...lanes.values()];
}

function couriersOf(
  happenings: readonly Happening[],
  kinds: readonly Happening["kind"][],
): ReadonlySet<string> {
  return new Set(
    happenings.flatMap((happening) =>
      kinds.includes(happening.kind) && "courierId" in happening ? [happening.courierId] : [],
    ),
  );
}

function orderRow({ scale }: CityOnAir, order: CustomerOrder): OrderRow {
  return {
    id: order.id,
    storeId: order.storeId,
    latitude: order.door.latitude,
    longitude: order.door.longitude,
    placedAtMs: scale.toDatabaseMs(order.placedAtMs),
    readyAtMs: scale.toDatabaseMs(order.promisedAtMs),
    vehicles: order.vehicles,
  };
}

function courierRow(air: CityOnAir, courier: CourierState): CourierRow {
  const { scale } = air;
  assert(courier.offMs > courier.onMs, `the shift of courier ${courier.id} ends before it starts`);
  return {
    id: courier.id,
    latitude: courier.position.latitude,
    longitude: courier.position.longitude,
    positionAtMs: scale.toDatabaseMs(courier.positionAtMs),
    vehicle: courier.vehicle,
    capacity: courier.capacity,
    shiftStartsAtMs: scale.toDatabaseMs(courier.onMs),
    shiftEndsAtMs: scale.toDatabaseMs(courier.offMs),
    free: courier.free === undefined ? undefined : freeRow(air, courier.free),
  };
}

function freeRow({ scale }: CityOnAir, free: FreeAgain): FreeRow {
  return { atMs: scale.toDatabaseMs(free.atMs), ...free.position };
}
