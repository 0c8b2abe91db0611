import { isDeepStrictEqual } from "node:util";
import { SEAL_FINALIZER, type City } from "../../crds/city.ts";
import {
  cityLeaseName,
  decodeAssignment,
  encodeAssignment,
  type Assignment,
  type Lease,
  type Setbacks,
} from "../../crds/lease.ts";
import type { FencingToken } from "../../crds/token.ts";
import type { SealOutcome } from "../../db/seal.ts";
import type { Clock } from "../../runtime/clock.ts";
import { OperationalError, isOperational } from "../../runtime/errors.ts";
import type { KubeClient } from "../../runtime/kube/kube-api.ts";
import { LEASES, type KubeObject, type ObjectRef, type Resource } from "../../runtime/kube/resources.ts";
import type { Decision } from "./place.ts";
import { setbacksAfter } from "./setbacks.ts";
import { mayBeStale, type CityView } from "./view.ts";

/**
 * Carries out one decision about one city. Every write has the resourceVersion that was decided on as its precondition,
 * so two operators at once are merely wasteful; a conflict throws (`kube-conflict`) and the city is decided anew.
 */

export type ActDependencies = {
  readonly client: KubeClient;
  readonly cities: Resource;
  readonly clock: Clock;
  readonly seal: (city: string, token: FencingToken, signal: AbortSignal) => Promise<SealOutcome>;
};

/** What was done, for the event, the log and the memory of the controller. */
export type Done =
  | { readonly kind: "nothing" }
  | { readonly kind: "adopted" }
  | {
      readonly kind: "assigned";
      readonly lease: Lease;
      readonly assignment: Assignment;
      readonly isMove: boolean;
    }
  | { readonly kind: "unassigned"; readonly lease: Lease }
  | { readonly kind: "sealed"; readonly epoch: bigint; readonly token: FencingToken }
  | { readonly kind: "removed" };

export async function act(
  dependencies: ActDependencies,
  input: {
    readonly view: CityView;
    readonly decision: Decision;
    readonly lease: Lease | undefined;
    /** W3C traceparent of this act; undefined: it is not traced. */
    readonly traceparent?: string | undefined;
  },
  signal: AbortSignal,
): Promise<Done> {
  const { view, decision } = input;
  switch (decision.kind) {
    case "keep":
    case "wait":
      return { kind: "nothing" };
    case "adopt":
      await writeFinalizers(dependencies, view.city, [...finalizersOf(view.city), SEAL_FINALIZER], signal);
      return { kind: "adopted" };
    case "assign": {
      if (mayBeStale(view)) await proveCity(dependencies, view.city, signal);
      const { worker, because } = decision;
      const { traceparent } = input;
      const holder = { worker, setbacks: setbacksAfter(view, because), because, traceparent };
      const lease = await writeLease(dependencies, input, holder, signal);
      const isMove = view.lease?.worker !== undefined && view.lease.worker !== worker;
      return { kind: "assigned", lease, assignment: decodeAssignment(lease), isMove };
    }
    case "unassign":
      if (mayBeStale(view)) await proveCity(dependencies, view.city, signal);
      return unassign(dependencies, { ...input, because: decision.because }, signal);
    case "seal":
      return seal(dependencies, view, view.lease?.token, signal);
    case "remove":
      if (decision.because === "beyond-us") await proveForeign(dependencies, view, signal);
      return remove(dependencies, input, signal);
    default:
      return decision satisfies never;
  }
}

/**
 * A Lease's precondition proves that nobody else moved the city, not that the City was not suspended, resumed or deleted since:
 * an operator whose watch lags may lead after the one that saw to that. Only a quorum read tells.
 */
async function proveCity(
  { client, cities }: ActDependencies,
  city: City,
  signal: AbortSignal,
): Promise<void> {
  const { name, uid, generation, deletionTimestamp } = city.metadata;
  const present = await client.get<City>(cities, refTo(city, name), signal);
  const isAsSeen =
    present !== undefined &&
    present.metadata.uid === uid &&
    present.metadata.generation === generation &&
    present.metadata.deletionTimestamp === deletionTimestamp &&
    // A generation names no specification: where etcd went back in time, its numbers are given again.
    isDeepStrictEqual(present.spec, city.spec);
  if (isAsSeen) return;
  throw new OperationalError({
    code: "city-stale",
    remedy: "refresh",
    message: `City ${name} was changed since it was last seen`,
  });
}

/**
 * The authority is read every second, and may have become ours meanwhile: then those who held the city in the other
 * cluster commit on until somebody seals it. The seal itself tells, and is the right thing to do if it goes through.
 */
async function proveForeign(
  dependencies: ActDependencies,
  view: CityView,
  signal: AbortSignal,
): Promise<void> {
  const token = view.lease?.token ?? view.fence?.token;
  if (token === undefined) return;
  const outcome = await dependencies.seal(view.name, token, signal);
  if (outcome.kind !== "behind") return;
  throw new OperationalError({
    code: "seal-behind",
    remedy: "refresh",
    message: `the authority is ours by now, and the fence of ${view.name} is ahead of the token ${token}`,
  });
}

async function writeLease(
  { client, clock }: ActDependencies,
  { view, lease }: { readonly view: CityView; readonly lease: Lease | undefined },
  assignment: {
    readonly worker: string | undefined;
    readonly setbacks?: Setbacks;
    readonly because: string;
    readonly traceparent?: string | undefined;
  },
  signal: AbortSignal,
): Promise<Lease> {
  const next = encodeAssignment({
    city: view.city,
    ...assignment,
    task: view.task,
    replaces: lease,
    nowMs: clock.wallMs(),
  });
  return lease === undefined
    ? client.create<Lease>(LEASES, next, signal)
    : client.replace<Lease>(LEASES, next, signal);
}

/** A watch that lags shows no Lease where the City was created anew since; whoever holds it would go on, unsealed. */
async function proveUnleased(
  client: KubeClient,
  { city, name }: CityView,
  signal: AbortSignal,
): Promise<void> {
  const present = await client.get<Lease>(LEASES, refTo(city, cityLeaseName(name)), signal);
  if (present === undefined) return;
  throw new OperationalError({
    code: "lease-stale",
    remedy: "refresh",
    message: `the Lease of ${name} is there, although it was not seen`,
  });
}

/** The seal follows as a decision of its own, once the token of this write is known. */
async function unassign(
  dependencies: ActDependencies,
  input: { readonly view: CityView; readonly lease: Lease | undefined; readonly because: string },
  signal: AbortSignal,
): Promise<Done> {
  const { view, lease, because } = input;
  try {
    const assignment = { worker: undefined, because };
    return { kind: "unassigned", lease: await writeLease(dependencies, input, assignment, signal) };
  } catch (error) {
    // In a namespace that is going away nothing can be created; the token at the fence seals it as well.
    const isRefused = lease === undefined && view.isDeleting && isOperational(error, "kube-forbidden");
    if (!isRefused) throw error;
    return seal(dependencies, view, view.fence?.token, signal);
  }
}

async function seal(
  dependencies: ActDependencies,
  view: CityView,
  token: FencingToken | undefined,
  signal: AbortSignal,
): Promise<Done> {
  if (token === undefined) return { kind: "nothing" };
  const outcome = await dependencies.seal(view.name, token, signal);
  if (outcome.kind === "sealed") return { ...outcome, token };
  throw new OperationalError({
    code: `seal-${outcome.kind}`,
    remedy: "refresh",
    message:
      outcome.kind === "behind"
        ? `the fence of ${view.name} is ahead of the Lease's token ${token}`
        : `the database takes tokens from another cluster`,
  });
}

async function remove(
  dependencies: ActDependencies,
  { view, lease }: { readonly view: CityView; readonly lease: Lease | undefined },
  signal: AbortSignal,
): Promise<Done> {
  const { client } = dependencies;
  if (lease === undefined) await proveUnleased(client, view, signal);
  else {
    const { uid, resourceVersion } = lease.metadata;
    await client.remove(LEASES, refTo(lease, cityLeaseName(view.name)), signal, {
      preconditions: {
        ...(uid === undefined ? {} : { uid }),
        ...(resourceVersion === undefined ? {} : { resourceVersion }),
      },
    });
  }
  const others = finalizersOf(view.city).filter((finalizer) => finalizer !== SEAL_FINALIZER);
  await writeFinalizers(dependencies, view.city, others, signal);
  return { kind: "removed" };
}

/** To what is called `name` in the namespace of this object. */
function refTo({ metadata: { namespace } }: KubeObject, name: string): ObjectRef {
  return { name, ...(namespace === undefined ? {} : { namespace }) };
}

function finalizersOf(city: City): readonly string[] {
  return city.metadata.finalizers ?? [];
}

async function writeFinalizers(
  { client, cities }: ActDependencies,
  city: City,
  finalizers: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  const { name, resourceVersion } = city.metadata;
  await client.patch<City>(cities, refTo(city, name), { metadata: { finalizers, resourceVersion } }, signal);
}
