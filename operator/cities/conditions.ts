import type { CityCondition, CityStatus, ConditionStatus } from "../../crds/city.ts";
import { formatDuration } from "../../crds/duration.ts";
import { isCalled } from "../../crds/mitigations.ts";
import type { DispatcherFailure } from "../../db/dispatcher-failure.ts";
import type { Decision, WaitReason } from "./place.ts";
import { isReleased, isSealed, isStalled, type CityView, type FleetView } from "./view.ts";

/**
 * What a person reads of a City: each condition's reason is what the deciding function returned. Pure.
 */

type Judgement = { readonly status: ConditionStatus; readonly reason: string; readonly message: string };

const WAIT_REASONS: Readonly<Record<WaitReason, (city: CityView, view: FleetView) => Judgement>> = {
  "foreign-authority": (_city, view) => ({
    status: "False",
    reason: "ForeignAuthority",
    message: `the database takes tokens from cluster ${
      view.authority.kind === "foreign" ? view.authority.clusterUid : "unknown"
    } only; to hand it to this cluster run the command take-authority, as docs/authority.md says`,
  }),
  "authority-unknown": () => ({
    status: "Unknown",
    reason: "DatabaseUnreachable",
    message:
      "MySQL has not told yet which cluster may hand out tokens; check the operator's DATABASE_URL and its log",
  }),
  "no-workers": (city) => ({
    status: "False",
    reason: "NoWorkers",
    message: `no live worker in pool "${city.pool}"; start one, or change spec.workerPool`,
  }),
  "database-unreachable": () => ({
    status: "True",
    reason: "DatabaseUnreachable",
    message: "its holder is silent and MySQL does not answer; nothing is moved until it does",
  }),
  "holder-late": (city) => ({
    status: "True",
    reason: "HolderLate",
    message: `worker ${city.lease?.worker} has not renewed its heartbeat lately; it is moved if that lasts`,
  }),
  "no-successor": (city) => ({
    status: "True",
    reason: "NoSuccessor",
    message: `worker ${city.lease?.worker} is to be relieved and goes on ticking, but no other worker in pool "${city.pool}" is live; start one`,
  }),
  "most-stalled": () => ({
    status: "True",
    reason: "MostCitiesStalled",
    message:
      "it does not tick, but neither do most others, so its worker is not the cause and nothing is moved; look at MySQL first",
  }),
  "most-lost": () => ({
    status: "False",
    reason: "MostWorkersLost",
    message:
      "its worker was lost together with most others; cities are moved to those that are left a few at a time",
  }),
  resting: (city) => ({
    status: "False",
    reason: "Resting",
    message: `its last ${city.lease?.deaths} workers died before it had ticked once; it rests, longer each time, and is tried again by itself`,
  }),
  isolating: () => ({
    status: "False",
    reason: "Isolating",
    message: "its last worker died before it had ticked once; another one is being cleared for it alone",
  }),
  "pinned-elsewhere": (city, view) => ({
    status: "True",
    reason: "PinnedElsewhere",
    message: `spec.pin wants worker ${city.pinnedWorker}, which ${whyNotPinned(city, view)}; ${city.lease?.worker} holds it meanwhile`,
  }),
  "fence-ahead": (city) => ({
    status: city.lease?.worker === undefined ? "False" : "True",
    reason: "FenceAhead",
    message: `the fence has token ${city.fence?.token}, its Lease only ${city.lease?.token}: if etcd was restored from backup, the epoch is raised by itself`,
  }),
};

const FAILURES: Readonly<Record<DispatcherFailure, string>> = {
  unknown: "its worker does not know",
  "not-loaded": "could not be loaded",
  threw: "threw an error",
  malformed: "answered something that is no result",
  refused: "made no decision that the validator accepts",
  overran: "did not return in time",
  crashed: "ended its thread",
};

function whyNotPinned({ pinnedWorker = "", pool, lease }: CityView, { workers }: FleetView): string {
  const pinned = [...workers.values()].find((worker) => isCalled(worker, pinnedWorker));
  if (pinned === undefined) return "is not there";
  if (pinned.pool !== pool) return `is in pool "${pinned.pool}", not in "${pool}"`;
  if (pinned.liveness !== "live") return `is ${pinned.liveness}`;
  if ((lease?.setbacks ?? 0) > 0) return "it is not brought back to after its last tenures came to nothing";
  return "cannot take it now";
}

function judgeAssigned(city: CityView, decision: Decision, view: FleetView): Judgement {
  if (decision.kind === "wait") return WAIT_REASONS[decision.because](city, view);
  if (city.lease?.worker !== undefined) {
    return {
      status: "True",
      reason: "Assigned",
      message: `held by ${city.lease.worker} under token ${city.lease.token}${
        city.pinnedWorker === undefined ? "" : `, pinned there until ${city.city.spec.pin?.until}`
      }`,
    };
  }
  if (city.isSuspended)
    return { status: "False", reason: "Suspended", message: "spec.suspend is true: nobody holds it" };
  return { status: "False", reason: "Pending", message: "about to be assigned" };
}

function judgeDispatching(city: CityView, view: FleetView): Judgement {
  const { fence, lease } = city;
  if (city.isSuspended) return { status: "False", reason: "Suspended", message: "spec.suspend is true" };
  if (view.authority.kind === "foreign") {
    return {
      status: "False",
      reason: "ForeignAuthority",
      message: "another cluster dispatches for this database",
    };
  }
  if (!view.isDatabaseReachable) {
    return {
      status: "Unknown",
      reason: "DatabaseUnreachable",
      message: "MySQL does not answer the operator; workers go on by themselves as soon as it answers them",
    };
  }
  if (lease?.worker === undefined) {
    return { status: "False", reason: "NotAssigned", message: "no worker holds the city" };
  }
  const hasTicked = fence !== undefined && fence.tick > 0n;
  if (isStalled(city, view)) {
    return {
      status: "False",
      reason: "Stalled",
      message: `no tick has been committed for ${city.city.spec.stallAfterTicks} periods of ${city.city.spec.period}; see the log of ${lease.worker}`,
    };
  }
  if (!hasTicked) return { status: "Unknown", reason: "Starting", message: "waiting for the first tick" };
  if (fence.dispatcherFailure !== undefined) {
    return {
      status: "True",
      reason: "DispatcherFailed",
      message: `a tick every ${formatDuration(city.periodMs)}, but another dispatcher stands in for "${city.task.dispatcher}", which ${FAILURES[fence.dispatcherFailure]}; see the log of ${lease.worker}`,
    };
  }
  const { dispatcher, dispatcherOverride } = city.city.spec;
  if (dispatcherOverride !== undefined && city.task.dispatcher !== dispatcher) {
    return {
      status: "True",
      reason: "DispatcherOverridden",
      message: `a tick every ${formatDuration(city.periodMs)}, decided by "${city.task.dispatcher}" in the place of "${dispatcher}" until ${dispatcherOverride.until}`,
    };
  }
  return { status: "True", reason: "Ticking", message: `a tick every ${formatDuration(city.periodMs)}` };
}

function judgeSuspended(city: CityView, view: FleetView): Judgement {
  if (!city.isSuspended) return { status: "False", reason: "NotSuspended", message: "spec.suspend is false" };
  if (isReleased(city) && isSealed(city, view)) {
    return {
      status: "True",
      reason: "Sealed",
      message: `sealed with token ${city.lease?.token}: nothing more is committed until spec.suspend is false again`,
    };
  }
  return {
    status: "False",
    reason: "Sealing",
    message: "taking the city from its holder and sealing its fence",
  };
}

function judgeReady(city: CityView, assignedAs: Judgement, dispatching: Judgement): Judgement {
  if (city.isDeleting)
    return { status: "False", reason: "Deleting", message: "being sealed before it is deleted" };
  if (assignedAs.status !== "True") return assignedAs;
  return dispatching.status === "True"
    ? { ...dispatching, message: `dispatching: ${dispatching.message}` }
    : dispatching;
}

/**
 * What a City's status depends on beside its view: as long as neither changes, `describeCity` returns the same. Undefined:
 * it should have none that is new now, since the finalizer is written under the resourceVersion that a status would change.
 */
export function circumstancesOf(city: CityView, decision: Decision, view: FleetView): string | undefined {
  if (decision.kind === "adopt") return undefined;
  const { authority, isDatabaseReachable } = view;
  const foreign = authority.kind === "foreign" ? authority.clusterUid : "";
  // What is said of a wait may speak of others as well, such as the worker that a pin names.
  const waiting = decision.kind === "wait" ? WAIT_REASONS[decision.because](city, view).message : "";
  const epoch = authority.kind === "unknown" ? "" : String(authority.epoch);
  return [waiting, authority.kind, foreign, epoch, isDatabaseReachable, isStalled(city, view)].join(" ");
}

/** The status that the City should have. `nowIso` dates the conditions that changed; all others keep their time. */
export function describeCity(
  city: CityView,
  decision: Decision,
  view: FleetView,
  nowIso: string,
): CityStatus {
  const generation = city.city.metadata.generation ?? 0;
  const assignedAs = judgeAssigned(city, decision, view);
  const dispatching = judgeDispatching(city, view);
  const previous = city.city.status?.conditions ?? [];
  const condition = (type: CityCondition["type"], judgement: Judgement): CityCondition => {
    const before = previous.find((candidate) => candidate.type === type);
    const lastTransitionTime = before?.status === judgement.status ? before.lastTransitionTime : nowIso;
    return { type, ...judgement, observedGeneration: generation, lastTransitionTime };
  };
  const { lease, fence } = city;
  return {
    observedGeneration: generation,
    ...(lease?.worker === undefined
      ? {}
      : {
          assignment: {
            worker: lease.worker,
            token: String(lease.token),
            since: secondsOf(lease.since ?? nowIso),
            because: lease.because ?? "unknown",
          },
        }),
    ...(fence?.slotMs === undefined || fence.committedAtMs === undefined
      ? {}
      : {
          progress: {
            tick: Number(fence.tick),
            slot: new Date(fence.slotMs).toISOString(),
            committedAt: secondsOf(new Date(fence.committedAtMs).toISOString()),
          },
        }),
    conditions: [
      condition("Assigned", assignedAs),
      condition("Dispatching", dispatching),
      condition("Suspended", judgeSuspended(city, view)),
      condition("Ready", judgeReady(city, assignedAs, dispatching)),
    ],
  };
}

/** RFC 3339 text cut to whole seconds, as Kubernetes writes times. */
function secondsOf(iso: string): string {
  return iso.replace(/\.[0-9]+Z$/, "Z");
}
