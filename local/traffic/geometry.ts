/** Places on the map, as the database has them, and metres between them (equirectangular projection). */

export type Point = { readonly latitude: number; readonly longitude: number };

/** Mean radius of the Earth (IUGG), the one that the dispatcher projects with. */
export const EARTH_RADIUS_METERS = 6_371_008.8;

/** Length of one degree of latitude, and of one degree of longitude on the equator: 111,195.08 m. */
export const METERS_PER_DEGREE = (EARTH_RADIUS_METERS * Math.PI) / 180;

function shrinkOfLongitude(latitude: number): number {
  return Math.cos((latitude * Math.PI) / 180);
}

/** Straight distance in metres; good to a thousandth within one city. */
export function distanceMeters(from: Point, to: Point): number {
  const north = (to.latitude - from.latitude) * METERS_PER_DEGREE;
  const shrink = shrinkOfLongitude((from.latitude + to.latitude) / 2);
  const east = (to.longitude - from.longitude) * METERS_PER_DEGREE * shrink;
  return Math.hypot(north, east);
}

/** The place so many metres east and north of another. */
export function movedBy(
  from: Point,
  by: { readonly eastMeters: number; readonly northMeters: number },
): Point {
  return {
    latitude: from.latitude + by.northMeters / METERS_PER_DEGREE,
    longitude: from.longitude + by.eastMeters / (METERS_PER_DEGREE * shrinkOfLongitude(from.latitude)),
  };
}

/** The place at this share (0 to 1) of the straight way. */
export function between(from: Point, to: Point, share: number): Point {
  const part = Math.min(1, Math.max(0, share));
  return {
    latitude: from.latitude + (to.latitude - from.latitude) * part,
    longitude: from.longitude + (to.longitude - from.longitude) * part,
  };
}
