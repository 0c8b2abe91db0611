import type { Random } from "../../local/traffic/random.ts";
import type { World } from "./world.ts";

/** One kind of fault: does its harm when it is called, and sees to the end of it. */
export type FaultKind = (world: World, random: Random) => void | Promise<void>;

/** Lets the effect of a fault end after a random time; in the calm after the faults, `heal` has ended it already. */
export function forAWhile(
  world: World,
  random: Random,
  range: { readonly min: number; readonly max: number },
  end: () => void,
): void {
  const durationMs = range.min + (range.max - range.min) * random() ** 2;
  world.time.after(durationMs, () => {
    if (!world.isCalm) end();
  });
}
