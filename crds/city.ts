import { parseDuration } from "./duration.ts";
import { dispatcherInForce, type DispatcherOverride, type Pin } from "./mitigations.ts";

/** The City resource as the API server serves it, and as the rest of the product reads it. Schema: `city.yaml`. */

/** Where the API server keeps them. */
export const CITIES = {
  group: "dispatch.city",
  version: "v1alpha1",
  plural: "cities",
  kind: "City",
  namespaced: true,
} as const;
export const CITY_API_VERSION = `${CITIES.group}/${CITIES.version}`;

/** Kept on a City until its fence is sealed, so that `kubectl delete` returns when nothing more can be committed. */
export const SEAL_FINALIZER = "dispatch.city/seal";

/** What people write. The API server fills in every default, so a stored spec is always complete. */
export type CitySpec = {
  /** Time from one tick to the next: a duration of 200 ms to 10 min. */
  readonly period: string;
  readonly suspend: boolean;
  readonly workerPool: string;
  /** Relative cost of the City, 1 to 1000. Absent: measured tick time decides. */
  readonly weight?: number;
  /** IANA name, such as "Europe/Madrid". */
  readonly timeZone: string;
  /** Periods without a tick after which the City counts as stalled. */
  readonly stallAfterTicks: number;
  readonly dispatch: CityDispatchSpec;
  /** Who decides: `optimal`, `greedy`, or the name of a module of the company's own. */
  readonly dispatcher: string;
  /** For the company's own dispatcher, which alone knows what they mean. */
  readonly dispatcherParameters: Readonly<Record<string, string>>;
  /** Of how many ticks in a hundred all is recorded that is needed to replay them: 0 to 100. */
  readonly recordPercent: number;
  readonly pin?: Pin;
  readonly dispatcherOverride?: DispatcherOverride;
};

export const DEFAULT_DISPATCHER = "optimal";

export type CityDispatchSpec = {
  /** Orders ready within this duration are looked at. */
  readonly horizon: string;
  /** Busy couriers who are free within this duration are looked at. */
  readonly courierFreeWithin: string;
  readonly courierSpeedMetersPerMinute: number;
  /** Metres per minute by kind of vehicle, for kinds that differ from `courierSpeedMetersPerMinute`. */
  readonly vehicleSpeeds: Readonly<Record<string, number>>;
  /** Handling at the store and again at the door, each this long. */
  readonly serviceTime: string;
  /** A courier further from the store than this travel time is never asked. */
  readonly pickupTravelMax: string;
  /** How many orders of one store a courier may be given together: 1 to 3. */
  readonly bundleOrdersMax: number;
  /** No order reaches its door later than this because of a bundle. */
  readonly bundleDelayMax: string;
  /** Later than this after it was placed, an order is late at its door. */
  readonly clickToDoorTarget: string;
  /** An idle courier whose position is older than this is not asked. */
  readonly positionAgeMax: string;
  /** What taking an order from its courier must save, in weighted time of couriers. */
  readonly reassignGainMin: string;
  /** How often one order may be taken from its courier. */
  readonly reassignmentsMax: number;
  readonly weights: CityWeights;
};

/** What each second counts for, relative to the others. */
export type CityWeights = {
  readonly lateAtPickup: number;
  readonly lateAtDoor: number;
  readonly travel: number;
  readonly waiting: number;
  readonly reassignment: number;
  readonly age: number;
};

/** What the API server fills in: the defaults of `city.yaml`. */
export const DEFAULT_DISPATCH: CityDispatchSpec = {
  horizon: "20m",
  courierFreeWithin: "10m",
  courierSpeedMetersPerMinute: 300,
  vehicleSpeeds: {},
  serviceTime: "4m",
  pickupTravelMax: "45m",
  bundleOrdersMax: 3,
  bundleDelayMax: "10m",
  clickToDoorTarget: "40m",
  positionAgeMax: "10m",
  reassignGainMin: "3m",
  reassignmentsMax: 1,
  weights: { lateAtPickup: 10, lateAtDoor: 5, travel: 1, waiting: 1, reassignment: 10, age: 2 },
};

export type ConditionStatus = "True" | "False" | "Unknown";

export type CityCondition = {
  readonly type: "Assigned" | "Dispatching" | "Suspended" | "Ready";
  readonly status: ConditionStatus;
  /** CamelCase, as the deciding function returned it. */
  readonly reason: string;
  readonly message: string;
  readonly observedGeneration: number;
  /** RFC 3339, whole seconds. */
  readonly lastTransitionTime: string;
};

export type CityStatus = {
  readonly observedGeneration?: number;
  readonly assignment?: {
    /** Worker id. */
    readonly worker: string;
    /** Fencing token as text. */
    readonly token: string;
    /** RFC 3339. */
    readonly since: string;
    /** Why it is held by this worker, as the deciding function returned it; "unknown" of older operators. */
    readonly because: string;
  };
  readonly progress?: {
    /** Number of the last committed tick. */
    readonly tick: number;
    /** Scheduled start of its slot, RFC 3339 with milliseconds. */
    readonly slot: string;
    /** RFC 3339. */
    readonly committedAt: string;
  };
  readonly conditions?: readonly CityCondition[];
};

export type ObjectMetadata = {
  readonly name: string;
  readonly namespace?: string;
  readonly uid?: string;
  readonly resourceVersion?: string;
  readonly generation?: number;
  readonly creationTimestamp?: string;
  readonly deletionTimestamp?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly finalizers?: readonly string[];
  readonly ownerReferences?: readonly OwnerReference[];
};

export type OwnerReference = {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
  readonly controller?: boolean;
  readonly blockOwnerDeletion?: boolean;
};

export type City = {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: ObjectMetadata;
  readonly spec: CitySpec;
  readonly status?: CityStatus;
};

/** What a worker needs to know of a City's spec; it travels in the annotation of the City's Lease. */
export type TaskSpec = {
  /** UID of the cluster that assigns: a claim presents it as its authority. */
  readonly clusterUid: string;
  /** The epoch, in decimal digits, in which the Lease was written: with the Lease's resourceVersion it is the token. */
  readonly epoch: string;
  /** The generation of the City that these values are of. */
  readonly generation: number;
  readonly period: string;
  readonly dispatch: TaskDispatchSpec;
  /** Who decides now, an override included. Absent where the writer did not know it: the default. */
  readonly dispatcher?: string;
  readonly dispatcherParameters?: Readonly<Record<string, string>>;
  readonly recordPercent?: number;
};

/**
 * Without the parameters that an API server of an older schema did not serve, or an operator of an older version did not
 * write: the worker's own defaults stand in for them. What a later version adds is ignored.
 */
export type TaskDispatchSpec = Partial<Omit<CityDispatchSpec, "weights">> & {
  readonly weights?: Partial<CityWeights>;
};

/** The task as it is at `nowMs`, milliseconds since 1970: an override of the dispatcher ends by itself. */
export function taskSpecOf(
  city: City,
  authority: { readonly clusterUid: string; readonly epoch: bigint },
  nowMs: number,
): TaskSpec {
  // An API server with an older schema serves none of these.
  const { dispatcherParameters, recordPercent }: Partial<CitySpec> = city.spec;
  const dispatcher = dispatcherInForce(city.spec, nowMs);
  return {
    clusterUid: authority.clusterUid,
    epoch: String(authority.epoch),
    generation: city.metadata.generation ?? 0,
    period: city.spec.period,
    dispatch: city.spec.dispatch,
    ...(dispatcher === undefined ? {} : { dispatcher }),
    ...(dispatcherParameters === undefined ? {} : { dispatcherParameters }),
    ...(recordPercent === undefined ? {} : { recordPercent }),
  };
}

/** The period of a City in milliseconds. */
export function periodMsOf(spec: Pick<CitySpec, "period">): number {
  return parseDuration(spec.period);
}
