import { isCalled } from "../../crds/mitigations.ts";
import type { WorkerView } from "../workers/roster.ts";
import type { Candidates } from "./choose.ts";
import type { CityView, FleetView } from "./view.ts";

/**
 * What a pin does: a person wants a worker to hold a city for a while. It never costs the city its life: whoever cannot take it
 * does not get it. Pure.
 */

/** The worker that the city is pinned to, if it can take it now. */
export function pinnedAmong(
  { pinnedWorker }: Pick<CityView, "pinnedWorker">,
  { all }: Pick<Candidates, "all">,
): WorkerView | undefined {
  return pinnedWorker === undefined ? undefined : all.find((worker) => isCalled(worker, pinnedWorker));
}

/** Where a city that is held and well belongs by its pin. `away`: its pin says elsewhere, but it has to stay. */
export function pinOf(
  city: CityView,
  view: FleetView,
  candidates: Pick<Candidates, "all">,
):
  | { readonly kind: "none" }
  | { readonly kind: "away" }
  | { readonly kind: "pull"; readonly to: WorkerView } {
  const { pinnedWorker, lease } = city;
  const holder = view.workers.get(lease?.worker ?? "");
  if (pinnedWorker === undefined || holder === undefined || isCalled(holder, pinnedWorker))
    return { kind: "none" };
  const to = pinnedAmong(city, candidates);
  // One that came to grief where it was pinned would be moved to and fro for as long as the pin lasts.
  if (to === undefined || (lease?.setbacks ?? 0) > 0) return { kind: "away" };
  return { kind: "pull", to };
}
