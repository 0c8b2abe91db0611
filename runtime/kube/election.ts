import { microTimeText, type ObjectMetadata } from "./resources.ts";

/**
 * What a candidate does about the Lease that says who leads: pure, from what was seen of it. Times are this process's own
 * monotonic clock; the times inside the Lease come from other machines' clocks and decide nothing.
 */

export type ElectionLease = {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata: ObjectMetadata;
  readonly spec?: {
    /** Empty or absent: nobody leads. */
    readonly holderIdentity?: string;
    readonly leaseDurationSeconds?: number;
    readonly acquireTime?: string;
    readonly renewTime?: string;
    readonly leaseTransitions?: number;
  };
};

/** The Lease as last read, and since when it has looked exactly so to us. */
export type Sighting = { readonly lease: ElectionLease | undefined; readonly unchangedSinceMs: number };

export type ElectionView = {
  readonly identity: string;
  /** For a Lease that does not say how long it is good for. */
  readonly leaseDurationMs: number;
  readonly sighting: Sighting;
  readonly nowMs: number;
};

export type ElectionDecision =
  /** There is no Lease yet. */
  | { readonly kind: "create" }
  | { readonly kind: "acquire"; readonly because: "released" | "expired"; readonly lease: ElectionLease }
  | { readonly kind: "renew"; readonly lease: ElectionLease }
  | { readonly kind: "wait"; readonly holder: string; readonly expiresInMs: number };

export function decideElection(view: ElectionView): ElectionDecision {
  const { identity, sighting, nowMs } = view;
  const { lease } = sighting;
  if (lease === undefined) return { kind: "create" };
  const holder = lease.spec?.holderIdentity ?? "";
  if (holder === identity) return { kind: "renew", lease };
  if (holder === "") return { kind: "acquire", because: "released", lease };
  const expiresInMs = sighting.unchangedSinceMs + leaseDurationMsOf(lease, view.leaseDurationMs) - nowMs;
  if (expiresInMs <= 0) return { kind: "acquire", because: "expired", lease };
  return { kind: "wait", holder, expiresInMs };
}

/** Only a change that we saw ourselves counts as a sign of life of the holder. */
export function sight(
  previous: Sighting | undefined,
  lease: ElectionLease | undefined,
  nowMs: number,
): Sighting {
  const isUnchanged =
    previous !== undefined &&
    previous.lease?.metadata.uid === lease?.metadata.uid &&
    previous.lease?.metadata.resourceVersion === lease?.metadata.resourceVersion;
  return { lease, unchangedSinceMs: isUnchanged ? previous.unchangedSinceMs : nowMs };
}

/** What the holder itself promised counts, as it may run with other settings than we do. */
function leaseDurationMsOf(lease: ElectionLease, byDefaultMs: number): number {
  const seconds = lease.spec?.leaseDurationSeconds;
  return seconds === undefined ? byDefaultMs : seconds * 1_000;
}

/** The Lease by which `identity` leads: its first one, one taken over, or its own with a new renewal. */
export function heldLease(input: {
  readonly decision: Exclude<ElectionDecision, { kind: "wait" }>;
  readonly namespace: string;
  readonly name: string;
  readonly identity: string;
  readonly leaseDurationMs: number;
  readonly wallMs: number;
}): ElectionLease {
  const { decision, namespace, name, identity, wallMs } = input;
  const now = microTimeText(wallMs);
  const base = decision.kind === "create" ? undefined : decision.lease;
  const acquireTime = decision.kind === "renew" ? base?.spec?.acquireTime : undefined;
  const transitions = (base?.spec?.leaseTransitions ?? 0) + (decision.kind === "acquire" ? 1 : 0);
  return {
    metadata: base?.metadata ?? { namespace, name },
    spec: {
      holderIdentity: identity,
      // The API takes whole seconds, at least one.
      leaseDurationSeconds: Math.max(1, Math.ceil(input.leaseDurationMs / 1_000)),
      acquireTime: acquireTime ?? now,
      renewTime: now,
      leaseTransitions: transitions,
    },
  };
}

/** The same Lease with nobody leading, so that a successor need not wait for it to expire. */
export function releasedLease(lease: ElectionLease, wallMs: number): ElectionLease {
  return {
    metadata: lease.metadata,
    spec: {
      leaseDurationSeconds: 1,
      renewTime: microTimeText(wallMs),
      leaseTransitions: lease.spec?.leaseTransitions ?? 0,
    },
  };
}
