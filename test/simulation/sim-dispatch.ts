import type { Random } from "../../local/traffic/random.ts";
import { OperationalError } from "../../runtime/errors.ts";
import type { DispatchPool } from "../../worker/dispatch-pool/dispatch-pool.ts";
import { anAnswer } from "../support/dispatch-snapshot.ts";
import { validateDecisions } from "../../worker/dispatch/validate.ts";
import type { SimProcess } from "./sim-process.ts";

/** Takes some time, now and then too much, and sends open orders to couriers as its random numbers say. */
export function createSimDispatch(process: SimProcess, random: Random): DispatchPool & { overruns: number } {
  const { clock } = process;
  const pool = {
    /** Share of the calls that never return. */
    overruns: 0,
    run: (async (snapshot, { parameters }, deadlineMs, signal) => {
      if (random() < pool.overruns) {
        await clock.sleep(deadlineMs * 1.5, signal);
        throw new OperationalError({
          code: "dispatch-overrun",
          remedy: "retry",
          message: "simulated: the dispatcher did not return",
        });
      }
      await clock.sleep(1 + 20 * random() ** 4, signal);
      // One order each, and none for who could still give one back: what else is asked of bundles and of relief is not met here.
      const free = new Set(snapshot.couriers.filter(({ load }) => load === 0).map(({ id }) => id));
      const decisions = snapshot.orders.flatMap(({ id, assignment }) => {
        const courier = snapshot.couriers[Math.floor(random() * snapshot.couriers.length)]?.id ?? "";
        if (assignment !== undefined || !free.delete(courier)) return [];
        return [{ order: id, courier, stop: 1, from: undefined }];
      });
      const { accepted, refused } = validateDecisions(snapshot, parameters, decisions);
      return anAnswer({ decisions: accepted, refused });
    }) satisfies DispatchPool["run"],
    isReady: () => true,
    close: () => Promise.resolve(),
  };
  return pool;
}
