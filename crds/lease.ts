import { createHash } from "node:crypto";
import { CITY_API_VERSION, type City, type ObjectMetadata, type TaskSpec } from "./city.ts";
import { parseToken, type FencingToken } from "./token.ts";

/**
 * The two uses of coordination.k8s.io/v1 Leases: a City Lease says which worker holds a city (written by the operator
 * only), a worker Lease is a worker's heartbeat (written by that worker only). Nothing else reads or writes their text.
 */

export const CITY_LABEL = "dispatch.city/city";
export const WORKER_LABEL = "dispatch.city/worker";
export const COMPONENT_LABEL = "dispatch.city/component";
/** Of a worker Lease: the short form of its Pod's name. */
export const POD_LABEL = "dispatch.city/pod";
const TASK_ANNOTATION = "dispatch.city/task";
const SETBACKS_ANNOTATION = "dispatch.city/setbacks";
const DEATHS_ANNOTATION = "dispatch.city/deaths";
const BECAUSE_ANNOTATION = "dispatch.city/because";
/** Of a City Lease, where the operator traces: the W3C traceparent of the write, which the worker continues. */
const TRACEPARENT_ANNOTATION = "dispatch.city/traceparent";
/** Of a worker's Pod: "true" relieves the worker of its cities for as long as it is there. */
export const DRAIN_ANNOTATION = "dispatch.city/drain";
const POOL_ANNOTATION = "dispatch.city/pool";
const ZONE_ANNOTATION = "dispatch.city/zone";
const VERSION_ANNOTATION = "dispatch.city/version";
const CAPACITY_ANNOTATION = "dispatch.city/capacity";
const DRAINING_ANNOTATION = "dispatch.city/draining";
const INTERVAL_ANNOTATION = "dispatch.city/heartbeat-interval-ms";
const POD_ANNOTATION = "dispatch.city/pod";
const DATABASE_ANNOTATION = "dispatch.city/database";

const LABEL_LENGTH_MAX = 63;
const TRACEPARENT = /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;

export type Lease = {
  readonly apiVersion: "coordination.k8s.io/v1";
  readonly kind: "Lease";
  readonly metadata: ObjectMetadata;
  readonly spec?: {
    readonly holderIdentity?: string;
    readonly leaseDurationSeconds?: number;
    /** RFC 3339 with exactly six fractional digits. */
    readonly acquireTime?: string;
    readonly renewTime?: string;
    readonly leaseTransitions?: number;
  };
};

/** A City's assignment, as its Lease says it. */
export type Assignment = {
  readonly city: string;
  /** Absent: nobody may commit for this city. */
  readonly worker: string | undefined;
  readonly token: FencingToken;
  readonly task: TaskSpec | undefined;
  /** RFC 3339 of the move to this worker. */
  readonly since: string | undefined;
  /** Why it came to this worker, or was taken from the last one; undefined where an older operator wrote it. */
  readonly because: string | undefined;
  /** W3C traceparent of the write; undefined: it is not traced. */
  readonly traceparent: string | undefined;
} & Setbacks;

/** What befell a city of late; both are 0 for one that ticks. Kept in its Lease, so that every operator knows it. */
export type Setbacks = {
  /** Tenures in a row that came to nothing. */
  readonly setbacks: number;
  /** How many of those ended with the death of their worker before the city had ticked once. */
  readonly deaths: number;
};

/** What a worker tells of itself with each heartbeat. */
export type Heartbeat = {
  readonly worker: string;
  readonly pod: string;
  readonly pool: string;
  readonly zone: string;
  readonly version: string;
  /** How much weight it takes relative to its peers; > 0. */
  readonly capacity: number;
  readonly draining: boolean;
  readonly databaseReachable: boolean;
  readonly intervalMs: number;
  /** When the process registered, RFC 3339: a newer process of the same Pod supersedes an older one. */
  readonly since: string;
};

export function cityLeaseName(city: string): string {
  return `city-${city}`;
}

export function workerLeaseName(worker: string): string {
  return `worker-${worker}`;
}

/** A worker id or a Pod's name that fits a label value (63 characters): itself, or its beginning with a digest. */
export function shortWorkerId(worker: string): string {
  if (worker.length <= LABEL_LENGTH_MAX) return worker;
  const digest = createHash("sha256").update(worker).digest("hex").slice(0, 16);
  return `${worker.slice(0, LABEL_LENGTH_MAX - digest.length - 1)}-${digest}`;
}

/** Milliseconds since 1970 → the MicroTime text that Leases want. */
export function microTime(timeMs: number): string {
  return new Date(timeMs).toISOString().replace("Z", "000Z");
}

/**
 * The Lease that assigns `city` to `worker`, or to nobody. Pass the Lease it replaces to keep what stays, and to write under
 * the preconditions of its uid and resourceVersion: without the uid the API server would create a deleted Lease anew.
 */
export function encodeAssignment(input: {
  readonly city: City;
  readonly worker: string | undefined;
  readonly task: TaskSpec;
  readonly setbacks?: Setbacks;
  /** Why it is given to this worker; where the worker stays, that it was given to it first counts. */
  readonly because?: string;
  /** W3C traceparent of this write; that of an earlier one never stays. */
  readonly traceparent?: string | undefined;
  readonly replaces: Lease | undefined;
  readonly nowMs: number;
}): Lease {
  const { city, worker, task, replaces, traceparent, nowMs } = input;
  const { setbacks = 0, deaths = 0 } = input.setbacks ?? {};
  const previousWorker = replaces?.spec?.holderIdentity;
  const moves = (replaces?.spec?.leaseTransitions ?? 0) + (replaces && previousWorker !== worker ? 1 : 0);
  const keepsWorker = replaces !== undefined && previousWorker === worker;
  const because = keepsWorker ? replaces.metadata.annotations?.[BECAUSE_ANNOTATION] : input.because;
  return {
    apiVersion: "coordination.k8s.io/v1",
    kind: "Lease",
    metadata: {
      name: cityLeaseName(city.metadata.name),
      ...(city.metadata.namespace === undefined ? {} : { namespace: city.metadata.namespace }),
      ...preconditionsOf(replaces),
      labels: {
        [CITY_LABEL]: city.metadata.name,
        [COMPONENT_LABEL]: "city",
        ...(worker === undefined ? {} : { [WORKER_LABEL]: shortWorkerId(worker) }),
      },
      annotations: {
        [TASK_ANNOTATION]: JSON.stringify(task),
        ...(setbacks === 0 ? {} : { [SETBACKS_ANNOTATION]: String(setbacks) }),
        ...(deaths === 0 ? {} : { [DEATHS_ANNOTATION]: String(deaths) }),
        ...(because === undefined ? {} : { [BECAUSE_ANNOTATION]: because }),
        ...(traceparent === undefined ? {} : { [TRACEPARENT_ANNOTATION]: traceparent }),
      },
      ownerReferences: [
        {
          apiVersion: CITY_API_VERSION,
          kind: "City",
          name: city.metadata.name,
          uid: city.metadata.uid ?? "",
          controller: true,
          blockOwnerDeletion: false,
        },
      ],
    },
    spec: {
      ...(worker === undefined ? {} : { holderIdentity: worker }),
      acquireTime: (keepsWorker ? replaces.spec?.acquireTime : undefined) ?? microTime(nowMs),
      leaseTransitions: moves,
    },
  };
}

function preconditionsOf(replaces: Lease | undefined): Pick<ObjectMetadata, "uid" | "resourceVersion"> {
  const { uid, resourceVersion } = replaces?.metadata ?? {};
  return {
    ...(uid === undefined ? {} : { uid }),
    ...(resourceVersion === undefined ? {} : { resourceVersion }),
  };
}

/** A City Lease → what it says. A task that cannot be read counts as none, so that the operator writes it again. */
export function decodeAssignment(lease: Lease): Assignment {
  const worker = lease.spec?.holderIdentity;
  return {
    city: lease.metadata.labels?.[CITY_LABEL] ?? lease.metadata.name.replace(/^city-/, ""),
    worker: worker === undefined || worker === "" ? undefined : worker,
    token: parseToken(lease.metadata.resourceVersion ?? ""),
    task: decodeTask(lease.metadata.annotations?.[TASK_ANNOTATION]),
    since: lease.spec?.acquireTime,
    because: lease.metadata.annotations?.[BECAUSE_ANNOTATION],
    traceparent: decodeTraceparent(lease.metadata.annotations?.[TRACEPARENT_ANNOTATION]),
    setbacks: decodeCount(lease.metadata.annotations?.[SETBACKS_ANNOTATION]),
    deaths: decodeCount(lease.metadata.annotations?.[DEATHS_ANNOTATION]),
  };
}

/** What is no traceparent is as none: a trace is not worth a tenure. */
function decodeTraceparent(text: string | undefined): string | undefined {
  return text !== undefined && TRACEPARENT.test(text) ? text : undefined;
}

function decodeCount(text: string | undefined): number {
  const count = Number(text ?? 0);
  return Number.isSafeInteger(count) && count >= 0 ? count : 0;
}

function decodeTask(text: string | undefined): TaskSpec | undefined {
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as TaskSpec;
  } catch {
    return undefined;
  }
}

export function encodeHeartbeat(input: {
  readonly heartbeat: Heartbeat;
  readonly namespace: string;
  /** The Pod that owns the Lease; absent outside a cluster. */
  readonly podUid: string | undefined;
  /** The Lease as it was last written or read; absent for the first beat. */
  readonly replaces: Lease | undefined;
  readonly nowMs: number;
}): Lease {
  const { heartbeat, namespace, podUid, replaces, nowMs } = input;
  return {
    apiVersion: "coordination.k8s.io/v1",
    kind: "Lease",
    metadata: {
      name: workerLeaseName(heartbeat.worker),
      namespace,
      ...preconditionsOf(replaces),
      labels: { [COMPONENT_LABEL]: "worker", [POD_LABEL]: shortWorkerId(heartbeat.pod) },
      annotations: {
        [POD_ANNOTATION]: heartbeat.pod,
        [POOL_ANNOTATION]: heartbeat.pool,
        [ZONE_ANNOTATION]: heartbeat.zone,
        [VERSION_ANNOTATION]: heartbeat.version,
        [CAPACITY_ANNOTATION]: String(heartbeat.capacity),
        [DRAINING_ANNOTATION]: String(heartbeat.draining),
        [DATABASE_ANNOTATION]: heartbeat.databaseReachable ? "reachable" : "unreachable",
        [INTERVAL_ANNOTATION]: String(heartbeat.intervalMs),
      },
      ...(podUid === undefined
        ? {}
        : { ownerReferences: [{ apiVersion: "v1", kind: "Pod", name: heartbeat.pod, uid: podUid }] }),
    },
    spec: {
      holderIdentity: heartbeat.worker,
      leaseDurationSeconds: Math.max(1, Math.ceil((3 * heartbeat.intervalMs) / 1_000)),
      acquireTime: heartbeat.since,
      renewTime: microTime(nowMs),
    },
  };
}

/** UID of the City that owns a City Lease. */
export function cityUidOf(lease: Pick<Lease, "metadata">): string | undefined {
  return ownerUid(lease, "City");
}

/** UID of the Pod that owns a worker Lease; undefined outside a cluster. */
export function podUidOf(lease: Pick<Lease, "metadata">): string | undefined {
  return ownerUid(lease, "Pod");
}

function ownerUid(lease: Pick<Lease, "metadata">, kind: string): string | undefined {
  return lease.metadata.ownerReferences?.find((owner) => owner.kind === kind)?.uid;
}

/** A worker Lease → its heartbeat. Throws a RangeError that names the annotation that is missing or wrong. */
export function decodeHeartbeat(lease: Lease): Heartbeat {
  const annotation = (key: string): string => {
    const text = lease.metadata.annotations?.[key];
    if (text === undefined) throw new RangeError(`Lease ${lease.metadata.name} has no annotation ${key}`);
    return text;
  };
  const positive = (key: string): number => {
    const value = Number(annotation(key));
    if (Number.isFinite(value) && value > 0) return value;
    throw new RangeError(`Lease ${lease.metadata.name}: annotation ${key} must be a positive number`);
  };
  return {
    worker: lease.spec?.holderIdentity ?? lease.metadata.name.replace(/^worker-/, ""),
    pod: annotation(POD_ANNOTATION),
    pool: annotation(POOL_ANNOTATION),
    zone: annotation(ZONE_ANNOTATION),
    version: annotation(VERSION_ANNOTATION),
    capacity: positive(CAPACITY_ANNOTATION),
    draining: annotation(DRAINING_ANNOTATION) === "true",
    databaseReachable: annotation(DATABASE_ANNOTATION) === "reachable",
    intervalMs: positive(INTERVAL_ANNOTATION),
    since: lease.spec?.acquireTime ?? lease.metadata.creationTimestamp ?? "",
  };
}
