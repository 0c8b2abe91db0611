import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { MdrpOrder } from "../../../local/traffic/mdrplib.ts";
import type { PlayedCourier, Stop } from "./courier.ts";
import type { PlayedDay } from "./player.ts";

/**
 * Writes a played day as the library's evaluator reads it (`MDRP_code/compute_performance_summary.py` of grubhub/mdrplib):
 * three tables with a header, their cells separated by one blank, times in minutes of the day.
 */
export async function writeSolution(folder: string, played: PlayedDay): Promise<void> {
  await mkdir(folder, { recursive: true });
  const table = (name: string, rows: readonly (readonly (string | number)[])[]): Promise<void> =>
    writeFile(join(folder, `solution_info_${name}.txt`), `${rows.map((row) => row.join(" ")).join("\n")}\n`);
  await Promise.all([
    // The bundle's orders in the sequence of their doors take the rest of the line.
    table("assignments", [["assignment_time", "pickup_time", "courier", "orders"], ...assignments(played)]),
    table("orders", [
      ["order", "placement_time", "restaurant", "ready_time", "pickup_time", "dropoff_time", "courier"],
      ...orders(played),
    ]),
    table("couriers", [["courier", "departure_time", "origin", "destination"], ...moves(played)]),
  ]);
}

function assignments({ couriers }: PlayedDay): (string | number)[][] {
  return couriers
    .flatMap(({ id, trips }) => trips.map((trip) => ({ courier: id, trip })))
    .filter(({ trip }) => trip.stops.length > 0)
    .sort((a, b) => a.trip.decidedAtMinute - b.trip.decidedAtMinute)
    .map(({ courier, trip }) => [
      trip.decidedAtMinute,
      trip.pickupMinute,
      courier,
      ...trip.stops.map(({ order }) => order.id),
    ]);
}

function orders({ day, couriers }: PlayedDay): (string | number)[][] {
  const delivered = new Map(couriers.flatMap(deliveriesOf));
  return day.orders.map((order: MdrpOrder) => [
    order.id,
    order.placedAtMinute,
    order.restaurant,
    order.readyAtMinute,
    ...(delivered.get(order.id) ?? ["NA", "NA", "NA"]),
  ]);
}

function deliveriesOf({ id, trips }: PlayedCourier): [string, (string | number)[]][] {
  return trips.flatMap(({ pickupMinute, stops }) =>
    stops.map(({ order, dropoffMinute }: Stop): [string, (string | number)[]] => [
      order.id,
      [pickupMinute, dropoffMinute, id],
    ]),
  );
}

/** Every way that a courier travels, in sequence; the first begins at the courier's own place. */
function moves({ couriers }: PlayedDay): (string | number)[][] {
  return couriers.flatMap(({ id, trips }) =>
    trips.flatMap((trip) => {
      let origin = trip.restaurant;
      return [
        [id, trip.departureMinute, trip.start.id, trip.restaurant],
        ...trip.stops.map(({ order, departureMinute }) => {
          const move = [id, departureMinute, origin, order.id];
          origin = order.id;
          return move;
        }),
      ];
    }),
  );
}
