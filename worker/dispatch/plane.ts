import type { DispatchSnapshot, Point } from "./model.ts";

/** A place on a plane around one city, in metres. */
export type Place = { readonly x: number; readonly y: number };

export type Projection = (point: Point) => Place;

const EARTH_RADIUS_METERS = 6_371_008.8;
const RADIANS_PER_DEGREE = Math.PI / 180;

/**
 * Equirectangular projection around the city's median latitude: within a city it is off by less than streets are from
 * straight lines. The median of the stores, since one phone that reports 0°, 0° must not bend the city, and a sum would
 * depend on the order of its terms.
 */
export function projectionOf(snapshot: DispatchSnapshot): Projection {
  const latitudes = snapshot.orders.map(({ store }) => store.latitude).sort((a, b) => a - b);
  const middle = latitudes[latitudes.length >> 1] ?? 0;
  const metersPerDegreeNorth = EARTH_RADIUS_METERS * RADIANS_PER_DEGREE;
  const metersPerDegreeEast = metersPerDegreeNorth * Math.cos(middle * RADIANS_PER_DEGREE);
  return ({ latitude, longitude }) => ({
    x: longitude * metersPerDegreeEast,
    y: latitude * metersPerDegreeNorth,
  });
}

export function metersBetween(from: Place, to: Place): number {
  const east = to.x - from.x;
  const north = to.y - from.y;
  return Math.sqrt(east * east + north * north);
}

/** Straight-line travel time, in whole milliseconds. */
export function travelMs(meters: number, metersPerMinute: number): number {
  // Several times as fast as Math.round, and asked for every pair.
  return Math.floor((meters * 60_000) / metersPerMinute + 0.5);
}
