import type { Dispatcher } from "../../worker/dispatch/model.ts";
import { dispatch as dispatchSoundly } from "../../worker/dispatch/dispatch.ts";

/** The dispatchers, but for cities with an order whose id names a way to fail. */
export const dispatch: Dispatcher = (snapshot, parameters, deadline) => {
  const ids = new Set(snapshot.orders.map(({ id }) => id));
  if (ids.has("hang-optimal")) for (;;);
  if (ids.has("throw-optimal")) throw new Error("the optimal dispatcher made a mistake");
  return dispatchGreedily(snapshot, parameters, deadline);
};

export const dispatchGreedily: Dispatcher = (snapshot, parameters, deadline) => {
  const ids = new Set(snapshot.orders.map(({ id }) => id));
  if (ids.has("hang")) for (;;);
  if (ids.has("crash")) throw new Error("the dispatcher made a mistake");
  if (ids.has("devour")) {
    const eaten: number[][] = [];
    for (;;) eaten.push(Array.from({ length: 100_000 }, (_, index) => index + 0.5));
  }
  if (ids.has("devour-at-once")) {
    // V8 ends the whole process for one allocation that is larger than what is left of the heap.
    const eaten: string[][] = [];
    for (;;) eaten.push("x".repeat(30_000_000).split(""));
  }
  return dispatchSoundly(snapshot, parameters, deadline);
};
