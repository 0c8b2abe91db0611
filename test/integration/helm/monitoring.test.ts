import { readFileSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { loadYaml } from "@kubernetes/client-node";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { CHART, createHelm, find, HELM_LIMIT_MS, type Helm, type Manifest } from "../../support/helm.ts";

/** What the chart brings for a Prometheus and a Grafana that are there already. */

let helm: Helm;
let production: readonly Manifest[];

beforeAll(async () => {
  helm = await createHelm();
  production = await helm.render(["--values", join(CHART, "ci/production-values.yaml")]);
}, HELM_LIMIT_MS);
afterAll(async () => {
  await helm?.close();
});

test("the chart has the very rules of files/rules.yaml, with links to where the runbooks can be read", () => {
  const rule = find(production, "PrometheusRule", "city-operator");
  const source = readFileSync(join(CHART, "files/rules.yaml"), "utf8");
  const runbooks = "https://git.example.com/city-operator/docs/runbooks/";
  expect(rule["spec"]).toEqual(loadYaml(source.replaceAll("docs/runbooks/", runbooks)));
  expect(rule.metadata.labels["release"]).toBe("prometheus");
});

test("the chart has every dashboard as it is, where Grafana's sidecar finds it", async () => {
  const names = await readdir(join(CHART, "files/dashboards"));
  expect(names.length).toBe(4);
  const maps = production.filter(({ kind }) => kind === "ConfigMap");
  const data = Object.assign({}, ...maps.map((map) => map["data"])) as Readonly<Record<string, string>>;
  expect(Object.keys(data).toSorted()).toEqual(names.toSorted());
  for (const [name, text] of Object.entries(data)) {
    expect(text).toBe(readFileSync(join(CHART, "files/dashboards", name), "utf8").trim());
  }
  for (const { metadata } of maps) {
    expect(metadata.labels["grafana_dashboard"]).toBe("1");
    expect(metadata.annotations).toEqual({ grafana_folder: "Dispatch" });
  }
});
