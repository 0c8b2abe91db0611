import type { DecisionLine, MapCourier, MapOrder } from "./picture.ts";

/** What the map of a city shows, and where. Pure. Lengths in CSS pixels. */

export type Place = { readonly latitude: number; readonly longitude: number };

export type Point = { readonly x: number; readonly y: number };

export type Project = (place: Place) => Point;

const PADDING = 18;
/** Steps of an open order's age; older than the last is the last colour. */
export const AGE_STEPS_MS = [300_000, 900_000, 1_800_000] as const;
export const AGE_WORDS = ["under 5 min", "under 15 min", "under 30 min", "older"] as const;

export function ageStepOf(ageMs: number): number {
  const step = AGE_STEPS_MS.findIndex((limitMs) => ageMs < limitMs);
  return step === -1 ? AGE_STEPS_MS.length : step;
}

/** Fits the places into the size, north up, a metre as long to the east as to the north. */
export function projectionOf(
  places: readonly Place[],
  size: { readonly width: number; readonly height: number },
): Project {
  const [first] = places;
  if (first === undefined) return () => ({ x: size.width / 2, y: size.height / 2 });
  let { latitude: south, latitude: north, longitude: west, longitude: east } = first;
  for (const { latitude, longitude } of places) {
    south = Math.min(south, latitude);
    north = Math.max(north, latitude);
    west = Math.min(west, longitude);
    east = Math.max(east, longitude);
  }
  const shrink = Math.cos((((south + north) / 2) * Math.PI) / 180);
  const wide = Math.max(1e-6, (east - west) * shrink);
  const high = Math.max(1e-6, north - south);
  const scale = Math.min((size.width - 2 * PADDING) / wide, (size.height - 2 * PADDING) / high);
  return ({ latitude, longitude }) => ({
    x: size.width / 2 + (longitude - (east + west) / 2) * shrink * scale,
    y: size.height / 2 - (latitude - (south + north) / 2) * scale,
  });
}

export type Store = Place & { readonly id: string; readonly orders: number };

/** The stores that the open orders are of. */
export function storesOf(orders: ReadonlyMap<string, MapOrder>): readonly Store[] {
  return [...Map.groupBy(orders.values(), ({ store }) => store)].flatMap(([id, ofStore]) => {
    const [first] = ofStore;
    if (first === undefined) return [];
    const { storeLatitude: latitude, storeLongitude: longitude } = first;
    return [{ id, latitude, longitude, orders: ofStore.length }];
  });
}

export type Assignment = { readonly from: MapCourier; readonly to: Place };

/** From courier to store, for what the last explained tick assigned and is still to be picked up. */
export function assignmentsOf(
  decisions: ReadonlyMap<string, DecisionLine>,
  orders: ReadonlyMap<string, MapOrder>,
  couriers: ReadonlyMap<string, MapCourier>,
): readonly Assignment[] {
  return [...decisions].flatMap(([id, { kind, courier }]) => {
    const order = orders.get(id);
    const from = couriers.get(courier ?? "");
    if (kind !== "assigned" || order === undefined || from === undefined) return [];
    return [{ from, to: { latitude: order.storeLatitude, longitude: order.storeLongitude } }];
  });
}

/** The map in a sentence, for everybody, and for those who do not see it. */
export function sayMap(
  orders: ReadonlyMap<string, MapOrder>,
  couriers: ReadonlyMap<string, MapCourier>,
  nowMs: number,
): string {
  const unassigned = [...orders.values()].filter(({ courier }) => courier === null);
  const oldestMs = Math.min(...unassigned.map(({ placedAtMs }) => placedAtMs));
  const idle = [...couriers.values()].filter(({ load }) => load === 0).length;
  const waiting =
    unassigned.length === 0
      ? "all with a courier"
      : `${unassigned.length} without a courier, the oldest for ${Math.round((nowMs - oldestMs) / 1_000)} s`;
  return `${orders.size} open orders of ${storesOf(orders).length} stores, ${waiting}; ${couriers.size} couriers on shift, ${idle} of them idle.`;
}
