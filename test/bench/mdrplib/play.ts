import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readMdrpDay } from "../../../local/traffic/mdrplib.ts";
import { DEFAULT_PARAMETERS } from "../../../worker/dispatch/default-parameters.ts";
import type { Dispatcher, DispatchParameters } from "../../../worker/dispatch/model.ts";
import { writeDay } from "../../support/recorded-day.ts";
import { checkSolution } from "./check.ts";
import type { Disturbance } from "./disturb.ts";
import { figuresOf, type Figures } from "./figures.ts";
import { playDay } from "./player.ts";
import { writeSolution } from "./solution.ts";

/** The product's defaults, ticking once a minute, since the library knows whole minutes. */
export const PARAMETERS: DispatchParameters = { ...DEFAULT_PARAMETERS, periodMs: 60_000 };

export type Outcome = {
  readonly figures: Figures;
  /** What the checker of the rules and the validator found. */
  readonly wrong: readonly string[];
  readonly seconds: number;
};

/** Plays one instance, writes its solution into `out`, and holds that against the day as it went. */
export async function playInstance(input: {
  readonly instance: string;
  readonly dispatcher: Dispatcher;
  readonly disturbance: Disturbance;
  readonly parameters?: DispatchParameters;
  /** Undefined: somewhere temporary. */
  readonly out: string | undefined;
}): Promise<Outcome> {
  const temporary = await mkdtemp(join(tmpdir(), "mdrplib-"));
  try {
    const recorded = await readMdrpDay(input.instance);
    const startedAtMs = performance.now();
    const { dispatcher, disturbance, parameters = PARAMETERS } = input;
    const played = playDay(recorded, dispatcher, parameters, disturbance);
    const seconds = (performance.now() - startedAtMs) / 1000;
    const solution = input.out ?? join(temporary, "solution");
    await writeSolution(solution, played);
    // Without a disturbance the day went as it was published, and the published files are what counts.
    const asItWent = join(temporary, "instance");
    const isAsPublished =
      played.day.couriers.length === recorded.couriers.length &&
      played.day.orders.every(
        (order, index) => order.readyAtMinute === recorded.orders[index]?.readyAtMinute,
      );
    if (!isAsPublished) await writeDay(asItWent, played.day);
    const wrong = await checkSolution(isAsPublished ? input.instance : asItWent, solution);
    if (played.refused > 0) wrong.push(`the validator refused ${played.refused} decisions`);
    return { figures: figuresOf(played), wrong, seconds };
  } finally {
    await rm(temporary, { recursive: true });
  }
}
