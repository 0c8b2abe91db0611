import { CITIES, CITY_API_VERSION, type City, type CitySpec } from "../../../crds/city.ts";
import type { Surroundings } from "./processes.ts";

/** What people do with Cities, straight at the API server. */
export type User = {
  create(name: string, spec: Partial<CitySpec> & { readonly period: string }): Promise<void>;
  /** A merge patch of the specification. */
  edit(name: string, spec: Partial<Record<keyof CitySpec, unknown>>): Promise<void>;
  remove(name: string): Promise<void>;
  city(name: string): Promise<City | undefined>;
  /** Whether the City's condition is true, of its present generation. */
  is(name: string, condition: "Ready" | "Suspended"): Promise<boolean>;
};

const CALL_LIMIT_MS = 10_000;

export function createUser({ client, namespace }: Surroundings): User {
  const within = (): AbortSignal => AbortSignal.timeout(CALL_LIMIT_MS);
  const city = (name: string) => client.get<City>(CITIES, { namespace, name }, within());
  return {
    async create(name, spec) {
      const object = { apiVersion: CITY_API_VERSION, kind: "City", metadata: { name, namespace }, spec };
      await client.create(CITIES, object, within());
    },
    async edit(name, spec) {
      await client.patch(CITIES, { namespace, name }, { spec }, within());
    },
    async remove(name) {
      await client.remove(CITIES, { namespace, name }, within());
    },
    city,
    async is(name, type) {
      const object = await city(name);
      const condition = object?.status?.conditions?.find((candidate) => candidate.type === type);
      return condition?.status === "True" && condition.observedGeneration === object?.metadata.generation;
    },
  };
}
