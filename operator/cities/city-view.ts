import { SEAL_FINALIZER, type City } from "../../crds/city.ts";
import { cityUidOf, decodeAssignment, type Lease } from "../../crds/lease.ts";
import { pinnedWorkerOf } from "../../crds/mitigations.ts";
import { PROGRESS_SLACK_MS, type CityView, type LeaseView } from "./view.ts";

/** From a City and its Lease to what is decided on. Pure: whoever shows what would be decided builds the same view. */

export function leaseViewOf(lease: Lease): LeaseView {
  const { city: _city, traceparent: _traceparent, ...assignment } = decodeAssignment(lease);
  return { ...assignment, cityUid: cityUidOf(lease) };
}

export function cityViewOf(
  input: Pick<
    CityView,
    "city" | "task" | "periodMs" | "lease" | "fence" | "assignedMs" | "movedMs" | "watchedSinceMs"
  >,
  /** Milliseconds since 1970: a pin ends at a time of people. */
  wallMs: number,
): CityView {
  const { metadata, spec }: City = input.city;
  return {
    ...input,
    name: metadata.name,
    isDeleting: metadata.deletionTimestamp !== undefined,
    hasFinalizer: metadata.finalizers?.includes(SEAL_FINALIZER) ?? false,
    isSuspended: spec.suspend,
    pool: spec.workerPool,
    pinnedWorker: pinnedWorkerOf(spec, wallMs),
    weight: spec.weight ?? 1,
    stallAfterMs: spec.stallAfterTicks * input.periodMs + PROGRESS_SLACK_MS,
  };
}
