import { CITIES, type City } from "../../../crds/city.ts";
import { cityLeaseName, decodeAssignment, type Lease } from "../../../crds/lease.ts";
import { LEASES } from "../../../runtime/kube/resources.ts";
import type { Surroundings } from "./processes.ts";

/**
 * What is left of a City when everything has come to rest, without what may differ from run to run: identities, times,
 * resourceVersions and how often it moved (Acto's comparison of end states, with the same care about noise).
 */
export type CityEnd = {
  readonly city:
    | {
        readonly spec: unknown;
        readonly finalizers: readonly string[];
        /** "Ready True Ticking of now", sorted; "of before" when it speaks of an earlier generation. */
        readonly conditions: readonly string[];
        /** Whether the status names the Lease's holder and token. */
        readonly isStatusOfLease: boolean;
      }
    | undefined;
  readonly lease:
    | {
        readonly pod: string | undefined;
        readonly task: unknown;
        /** Of the City's present generation. */
        readonly isTaskOfNow: boolean;
        readonly labels: readonly string[];
        /** A worker that ends in good order just as it is given a city counts as one setback, which the next move forgets. */
        readonly isPatientWith: boolean;
        readonly isOwnedByCity: boolean;
      }
    | undefined;
  /** `held`: by the Lease's holder under the Lease's token. `nobody`: sealed, or never claimed. */
  readonly fence: "nobody" | "held" | "another";
};

const READ_LIMIT_MS = 10_000;

/** `city` as the API server knows it; names in the result are replaced by `shownAs`. */
export async function readEnd(world: Surroundings, city: string, shownAs: string): Promise<CityEnd> {
  const { client, namespace } = world;
  const signal = AbortSignal.timeout(READ_LIMIT_MS);
  const [object, lease, [fence]] = await Promise.all([
    client.get<City>(CITIES, { namespace, name: city }, signal),
    client.get<Lease>(LEASES, { namespace, name: cityLeaseName(city) }, signal),
    world.database.sql(`SELECT token, holder FROM city_fence WHERE city = ${JSON.stringify(city)}`),
  ]);
  return {
    city: object === undefined ? undefined : cityEnd(object, lease),
    lease: lease === undefined ? undefined : leaseEnd(lease, object, { city, shownAs }),
    fence: fenceEnd(fence, lease),
  };
}

function cityEnd(city: City, lease: Lease | undefined): NonNullable<CityEnd["city"]> {
  const { assignment, conditions = [], observedGeneration } = city.status ?? {};
  const holder = lease === undefined ? undefined : decodeAssignment(lease).worker;
  const isSame =
    assignment?.worker === holder &&
    (assignment === undefined || assignment.token === lease?.metadata.resourceVersion);
  return {
    spec: city.spec,
    finalizers: city.metadata.finalizers ?? [],
    conditions: conditions
      .map(({ type, status, reason, observedGeneration: of }) => {
        const when = of === city.metadata.generation ? "now" : "before";
        return `${type} ${status} ${reason} of ${when}`;
      })
      .toSorted(),
    isStatusOfLease: isSame && observedGeneration === city.metadata.generation,
  };
}

function leaseEnd(
  lease: Lease,
  city: City | undefined,
  names: { readonly city: string; readonly shownAs: string },
): NonNullable<CityEnd["lease"]> {
  const { worker, task, setbacks } = decodeAssignment(lease);
  const { generation, ...content } = task ?? {};
  const owner = lease.metadata.ownerReferences?.[0];
  return {
    pod: worker?.replace(/-[0-9a-f]+$/, ""),
    task: worker === undefined ? undefined : content,
    isTaskOfNow: worker === undefined || generation === city?.metadata.generation,
    labels: Object.entries(lease.metadata.labels ?? {})
      .map(
        ([key, value]) =>
          `${key}=${value === worker ? "its holder" : value.replace(names.city, names.shownAs)}`,
      )
      .toSorted(),
    isPatientWith: setbacks > 1,
    isOwnedByCity: city !== undefined && owner?.uid === city.metadata.uid,
  };
}

function fenceEnd(
  fence: Readonly<Record<string, unknown>> | undefined,
  lease: Lease | undefined,
): CityEnd["fence"] {
  if (fence === undefined || fence["holder"] === null) return "nobody";
  const isOfLease =
    fence["holder"] === lease?.spec?.holderIdentity &&
    String(fence["token"]) === lease?.metadata.resourceVersion;
  return isOfLease ? "held" : "another";
}
