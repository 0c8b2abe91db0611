import type { CustomerOrder, Shift } from "./city-script.ts";
import type { Trip } from "./trip.ts";

/** What is due in a simulated city, and in which order. Times are milliseconds of the simulated day. */
export type WorldEvent =
  | { readonly kind: "start-shift"; readonly atMs: number; readonly id: string; readonly shift: Shift }
  | { readonly kind: "place"; readonly atMs: number; readonly id: string; readonly order: CustomerOrder }
  /** Of a courier's trip; one that is planned anew has other events. */
  | { readonly kind: "free"; readonly atMs: number; readonly id: string; readonly trip: Trip }
  | { readonly kind: "pick-up"; readonly atMs: number; readonly id: string; readonly trip: Trip }
  | {
      readonly kind: "deliver";
      readonly atMs: number;
      readonly id: string;
      readonly trip: Trip;
      readonly orderId: string;
    }
  | { readonly kind: "answer"; readonly atMs: number; readonly id: string; readonly orderId: string }
  | { readonly kind: "give-up"; readonly atMs: number; readonly id: string };

/** What comes first when it is due at the same moment; a customer who cancels as the courier picks up is too late. */
const RANK = {
  "start-shift": 0,
  place: 1,
  deliver: 2,
  free: 3,
  answer: 4,
  "pick-up": 5,
  "give-up": 6,
} as const;

export function compareEvents(left: WorldEvent, right: WorldEvent): number {
  if (left.atMs !== right.atMs) return left.atMs - right.atMs;
  if (left.kind !== right.kind) return RANK[left.kind] - RANK[right.kind];
  if (left.id !== right.id) return left.id < right.id ? -1 : 1;
  return orderIdOf(left) < orderIdOf(right) ? -1 : 1;
}

function orderIdOf(event: WorldEvent): string {
  return "orderId" in event ? event.orderId : "";
}
