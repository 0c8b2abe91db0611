import {
  CITY_API_VERSION,
  DEFAULT_DISPATCHER,
  DEFAULT_DISPATCH,
  SEAL_FINALIZER,
  taskSpecOf,
  type City,
  type CitySpec,
  type TaskSpec,
} from "../../crds/city.ts";

/** Builders of Cities with valid defaults, as the API server would have stored them. */

export const CLUSTER_UID = "11111111-1111-4111-8111-111111111111";

export function cityOf(
  name: string,
  spec: Partial<CitySpec> = {},
  metadata: Partial<City["metadata"]> = {},
): City {
  return {
    apiVersion: CITY_API_VERSION,
    kind: "City",
    metadata: {
      name,
      namespace: "default",
      uid: `uid-${name}`,
      generation: 1,
      resourceVersion: "1",
      finalizers: [SEAL_FINALIZER],
      ...metadata,
    },
    spec: {
      period: "1s",
      suspend: false,
      workerPool: "default",
      timeZone: "Etc/UTC",
      stallAfterTicks: 3,
      dispatch: DEFAULT_DISPATCH,
      dispatcher: DEFAULT_DISPATCHER,
      dispatcherParameters: {},
      recordPercent: 0,
      ...spec,
    },
  };
}

export function taskOf(city: City, nowMs = 0): TaskSpec {
  return taskSpecOf(city, { clusterUid: CLUSTER_UID, epoch: 1n }, nowMs);
}
