import { dispatch as dispatchSoundly } from "../../worker/dispatch/dispatch.ts";

/** The dispatcher, but for cities with an order whose id names a way to fail. */
export const dispatch: typeof dispatchSoundly = (snapshot, parameters, deadline) => {
  const ids = new Set(snapshot.orders.map(({ id }) => id));
  if (ids.has("hang")) for (;;);
  if (ids.has("crash")) throw new Error("the dispatcher made a mistake");
  if (ids.has("devour")) {
    const eaten: number[][] = [];
    for (;;) eaten.push(Array.from({ length: 100_000 }, (_, index) => index + 0.5));
  }
  if (ids.has("devour-at-once")) {
    // V8 ends the whole process for one allocation that is larger than what is left of the heap.
    const eaten: number[][] = [];
    for (;;) eaten.push(Array.from<number>({ length: 30_000_000 }).fill(0.5));
  }
  return dispatchSoundly(snapshot, parameters, deadline);
};
