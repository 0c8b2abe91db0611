import * as kubernetes from "@pulumi/kubernetes";
import type { CustomResourceOptions, Input } from "@pulumi/pulumi";
import { CITY_API_VERSION, type CitySpec } from "./city-spec.ts";
import type { CityOperator } from "./city-operator.ts";

export type CityArgs = {
  /** Whose City it is: it lies in that operator's namespace, comes after it and goes before it. */
  readonly operator: CityOperator;
  readonly spec: CitySpec;
  readonly labels?: Input<Record<string, Input<string>>>;
  readonly annotations?: Input<Record<string, Input<string>>>;
};

/**
 * One periodic dispatch task. Its name is that of the resource, without a random suffix, for the company's tables know the city
 * by it. Deleting it waits until nothing more can be committed for it, which takes an operator: so the operator outlives it.
 */
export class City extends kubernetes.apiextensions.CustomResource {
  constructor(name: string, args: CityArgs, options: CustomResourceOptions = {}) {
    const { operator, spec, labels, annotations } = args;
    super(
      name,
      {
        apiVersion: CITY_API_VERSION,
        kind: "City",
        metadata: {
          name,
          namespace: operator.namespace,
          ...(labels === undefined ? {} : { labels }),
          ...(annotations === undefined ? {} : { annotations }),
        },
        spec,
      },
      { ...options, dependsOn: [operator, ...listOf(options.dependsOn)] },
    );
  }
}

type DependsOn = NonNullable<CustomResourceOptions["dependsOn"]>;
type Dependency = Extract<DependsOn, readonly unknown[]>[number];

function listOf(dependsOn: CustomResourceOptions["dependsOn"]): readonly Dependency[] {
  if (dependsOn === undefined) return [];
  return (Array.isArray(dependsOn) ? dependsOn : [dependsOn]) as readonly Dependency[];
}
