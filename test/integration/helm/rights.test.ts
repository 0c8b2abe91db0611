import { readFileSync } from "node:fs";
import { loadYaml } from "@kubernetes/client-node";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { CHART, createHelm, find, HELM_LIMIT_MS, type Helm, type Manifest } from "../../support/helm.ts";

/** Who may do what, as the chart hands it out. */

let helm: Helm;
let manifests: readonly Manifest[];

beforeAll(async () => {
  helm = await createHelm();
  manifests = await helm.render();
}, HELM_LIMIT_MS);
afterAll(async () => {
  await helm?.close();
});

describe("the rights", () => {
  const rulesIn = (text: string): ReadonlyMap<string, unknown> =>
    new Map(
      text
        .split(/^---$/m)
        .map((part) => loadYaml<Manifest>(part))
        .map((manifest) => [`${manifest.kind}/${manifest.metadata.name}`, manifest["rules"]]),
    );

  test("are those that the processes are tested with", () => {
    const tested = rulesIn(readFileSync("local/stack/rights.yaml", "utf8"));
    const rules = (kind: string, name: string): unknown => find(manifests, kind, name)["rules"];
    expect(rules("Role", "city-operator-worker")).toEqual(tested.get("Role/worker"));
    expect(rules("Role", "city-operator")).toEqual(tested.get("Role/operator"));
    expect(rules("ClusterRole", "city-operator-dispatch")).toEqual(
      tested.get("ClusterRole/city-operator-identity"),
    );
  });

  test("go to the service accounts of operator and worker alone", async () => {
    const subjects = manifests
      .filter(({ kind }) => kind.endsWith("Binding") && !kind.startsWith("Validating"))
      .map((binding) => [binding.metadata.name, binding["subjects"]]);
    const account = (name: string) => [{ kind: "ServiceAccount", name, namespace: "dispatch" }];
    expect(subjects).toEqual([
      ["city-operator-dispatch", account("city-operator")],
      ["city-operator", account("city-operator")],
      ["city-operator-worker", account("city-operator-worker")],
    ]);
    const without = await helm.render(["--values", `${CHART}/ci/bare-values.yaml`]);
    expect(without.filter(({ kind }) => /Role/.test(kind))).toEqual([]);
  });
});
