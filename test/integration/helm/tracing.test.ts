import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { createHelm, find, HELM_LIMIT_MS, type Helm, type Manifest } from "../../support/helm.ts";

/** What the chart makes of `tracing`. */

type Variable = { readonly name: string; readonly value?: string };
type Policy = { readonly egress: readonly { readonly ports: readonly { readonly port: number }[] }[] };

const PROCESSES = ["city-operator", "city-operator-worker-default"];
let helm: Helm;
let byDefault: readonly Manifest[];

beforeAll(async () => {
  helm = await createHelm();
  byDefault = await helm.render([]);
}, HELM_LIMIT_MS);
afterAll(async () => {
  await helm?.close();
});

const traced = (...more: readonly string[]): Promise<readonly Manifest[]> =>
  helm.render(["--set", ["tracing.enabled=true", ...more].join(",")]);

function variables(manifests: readonly Manifest[], deployment: string): readonly Variable[] {
  const { spec } = find(manifests, "Deployment", deployment) as unknown as {
    readonly spec: {
      readonly template: {
        readonly spec: { readonly containers: readonly [{ readonly env: readonly Variable[] }] };
      };
    };
  };
  return spec.template.spec.containers[0].env;
}

function openPorts(manifests: readonly Manifest[], policy: string): readonly number[] {
  const { egress } = find(manifests, "NetworkPolicy", policy)["spec"] as Policy;
  return egress.flatMap(({ ports }) => ports.map(({ port }) => port));
}

test.each(PROCESSES)("tracing is off unless it is asked for: %s", (deployment) => {
  expect(variables(byDefault, deployment).filter(({ name }) => name.startsWith("OTEL_"))).toEqual([]);
});

test.each(PROCESSES)("%s is told the collector, the share of ticks, and what it is", async (deployment) => {
  const manifests = await traced(
    "tracing.endpoint=http://collector.observability:4318,tracing.sampleRatio=0.25",
  );
  const env = variables(manifests, deployment);
  expect(env.filter(({ name }) => name.startsWith("OTEL_"))).toEqual([
    { name: "OTEL_EXPORTER_OTLP_ENDPOINT", value: "http://collector.observability:4318" },
    { name: "OTEL_TRACES_SAMPLER", value: "parentbased_traceidratio" },
    { name: "OTEL_TRACES_SAMPLER_ARG", value: "0.25" },
    {
      name: "OTEL_RESOURCE_ATTRIBUTES",
      value: "k8s.namespace.name=$(POD_NAMESPACE),k8s.pod.name=$(POD_NAME)",
    },
  ]);
  // Kubernetes fills in only what stands before.
  const places = ["POD_NAMESPACE", "POD_NAME", "OTEL_RESOURCE_ATTRIBUTES"].map((name) =>
    env.findIndex((variable) => variable.name === name),
  );
  expect(Math.max(...places)).toBe(places[2]);
});

test.each([
  ["http://collector:4318", 4318],
  ["http://collector/otlp", 80],
  ["https://otlp.example.com", 443],
  ["https://otlp.example.com:8443/otlp", 8443],
])("the NetworkPolicies let traces out to %s, and nothing more", async (endpoint, port) => {
  const manifests = await traced(`tracing.endpoint=${endpoint}`);
  for (const component of ["operator", "worker"]) {
    const policy = `city-operator-${component}`;
    expect(openPorts(manifests, policy)).toEqual([...openPorts(byDefault, policy), port]);
  }
  expect(openPorts(manifests, "city-operator-test")).toEqual(openPorts(byDefault, "city-operator-test"));
});
