import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { createHelm, find, HELM_LIMIT_MS, type Helm, type Manifest } from "../../support/helm.ts";

/** What the chart makes of `console`. */

type Container = {
  readonly env: readonly { readonly name: string; readonly value?: string }[];
  readonly ports: readonly { readonly name: string; readonly containerPort: number }[];
};

let helm: Helm;
let byDefault: readonly Manifest[];
let withConsole: readonly Manifest[];

beforeAll(async () => {
  helm = await createHelm();
  byDefault = await helm.render([]);
  withConsole = await helm.render(["--set", "console.enabled=true,console.port=9000"]);
}, HELM_LIMIT_MS);
afterAll(async () => {
  await helm?.close();
});

function operator(manifests: readonly Manifest[]): Container {
  const { spec } = find(manifests, "Deployment", "city-operator") as unknown as {
    readonly spec: { readonly template: { readonly spec: { readonly containers: readonly [Container] } } };
  };
  return spec.template.spec.containers[0];
}

test("the console is off unless it is asked for", () => {
  const { env, ports } = operator(byDefault);
  expect(env.filter(({ name }) => name.startsWith("CONSOLE"))).toEqual([]);
  expect(ports.map(({ name }) => name)).toEqual(["probes"]);
});

test("the console is served by every operator at the port that was asked for", () => {
  const { env, ports } = operator(withConsole);
  expect(env.filter(({ name }) => name.startsWith("CONSOLE"))).toEqual([
    { name: "CONSOLE", value: "on" },
    { name: "CONSOLE_PORT", value: "9000" },
  ]);
  expect(ports.find(({ name }) => name === "console")?.containerPort).toBe(9_000);
});

test("nothing but the operators differs: no Service, and the same NetworkPolicies", () => {
  const others = (manifests: readonly Manifest[]): readonly Manifest[] =>
    manifests.filter(({ kind, metadata }) => kind !== "Deployment" || metadata.name !== "city-operator");
  expect(others(withConsole)).toEqual(others(byDefault));
});
