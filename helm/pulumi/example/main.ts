import { Config } from "@pulumi/pulumi";
import { CityOperator } from "../city-operator.ts";
import { City } from "../city.ts";
import type { CitySpec } from "../city-spec.ts";

/** A company's cities, declared from a list. `pulumi config set --secret` has the three URLs; see Pulumi.yaml. */

const config = new Config();

const operator = new CityOperator("city-operator", {
  image: { repository: config.require("image"), tag: config.get("tag") ?? "" },
  database: {
    urls: {
      operator: config.requireSecret("operatorUrl"),
      worker: config.requireSecret("workerUrl"),
      admin: config.requireSecret("adminUrl"),
    },
  },
  values: { pools: { default: { replicas: 3 }, large: { replicas: 2, capacity: 400 } } },
});

const CITIES: Readonly<Record<string, CitySpec>> = {
  madrid: { period: "5s", timeZone: "Europe/Madrid" },
  paris: { period: "5s", timeZone: "Europe/Paris" },
  london: { period: "5s", timeZone: "Europe/London", workerPool: "large", weight: 200 },
  // Not open yet.
  lisbon: { period: "10s", timeZone: "Europe/Lisbon", suspend: true },
};

const cities = Object.entries(CITIES).map(([name, spec]) => new City(name, { operator, spec }));

export const namespace = operator.namespace;
export const status = operator.status;
export const cityNames = cities.map((city) => city.metadata.name);
