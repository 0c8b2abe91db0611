import type { Setbacks } from "../../crds/lease.ts";
import type { AssignReason } from "./place.ts";
import { hasTicked, type CityView } from "./view.ts";

/**
 * How patient we are with a city. Each tenure that came to nothing doubles the time that the next one gets, so an operator
 * that is too quick for a slow city becomes slow enough for it: "slow owner, impatient successor" cannot go on for ever.
 * The counts stand in the City's Lease and outlive every operator.
 */

const PATIENCE_MAX_MS = 10 * 60_000;

/** How long the city may stay without a tick before it is moved. */
export function patienceMs(city: CityView): number {
  return grown(city.stallAfterMs, city.lease?.setbacks ?? 0);
}

/**
 * How long a city that may have killed its workers stays without one, counted from its last assignment: nothing after
 * the first death, which may be chance.
 */
export function restMs(city: CityView): number {
  const deaths = city.lease?.deaths ?? 0;
  return deaths === 0 ? 0 : grown(city.stallAfterMs, deaths - 1);
}

function grown(firstMs: number, doublings: number): number {
  return Math.min(Math.max(PATIENCE_MAX_MS, firstMs), firstMs * 2 ** Math.min(doublings, 30));
}

/**
 * What the next assignment of the city says of those before. A tenure in which it ticked steadily wipes the slate clean;
 * a planned move leaves it as it is.
 */
export function setbacksAfter(city: CityView, because: AssignReason): Setbacks {
  const { setbacks = 0, deaths = 0 } = city.lease ?? {};
  switch (because) {
    case "stalled":
      return hasTickedSteadily(city)
        ? NONE
        : { setbacks: setbacks + 1, deaths: hasTicked(city) ? 0 : deaths };
    case "holder-gone":
      return hasTicked(city) ? NONE : { setbacks: setbacks + 1, deaths: deaths + 1 };
    case "new-city":
    case "resumed":
      return NONE;
    case "spec-changed":
    case "pool-changed":
    case "holder-draining":
    case "pinned":
    case "isolation":
    case "balance":
      return hasTickedSteadily(city) ? NONE : { setbacks, deaths };
    default:
      return because satisfies never;
  }
}

const NONE: Setbacks = { setbacks: 0, deaths: 0 };

/** For longer than it takes to be called stalled: one lucky tick is no proof that the city is well. */
function hasTickedSteadily(city: CityView): boolean {
  const { fence } = city;
  if (!hasTicked(city) || fence?.committedAtMs === undefined) return false;
  return fence.committedAtMs - fence.claimedAtMs >= city.stallAfterMs;
}
