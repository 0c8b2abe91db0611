import { readFileSync } from "node:fs";
import { loadYaml } from "@kubernetes/client-node";
import { describe, expect, test } from "@jest/globals";
import { deriveFromCrd } from "../../../local/chart/derived.ts";

/** What can be said of the chart's files without helm. */

const CHART = "helm/city-operator";

type Schema = {
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly additionalProperties?: boolean | Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly patternProperties?: Readonly<Record<string, Schema>>;
  readonly definitions?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly allOf?: readonly Schema[];
  readonly then?: Schema;
  readonly $ref?: string;
};

const read = (path: string): string => readFileSync(path, "utf8");
const schema = JSON.parse(read(`${CHART}/values.schema.json`)) as Schema;
const values = loadYaml<Record<string, unknown>>(read(`${CHART}/values.yaml`));

function walk(path: string, part: Schema, visit: (path: string, part: Schema) => void): void {
  visit(path, part);
  for (const children of [part.properties, part.patternProperties, part.definitions]) {
    for (const [name, child] of Object.entries(children ?? {})) walk(`${path}.${name}`, child, visit);
  }
  if (part.items !== undefined) walk(`${path}[]`, part.items, visit);
  if (part.then !== undefined) walk(path, part.then, visit);
}

/** The schema of one value, through references. */
function resolve(part: Schema | undefined): Schema | undefined {
  const target = part?.$ref ?? part?.allOf?.[0]?.$ref;
  return target === undefined ? part : resolve(schema.definitions?.[target.replace("#/definitions/", "")]);
}

test("what is made from the City resource is made from the present one; otherwise, make chart-docs", async () => {
  const derived = await deriveFromCrd();
  expect([...derived.keys()].map((path) => [path, read(path)])).toEqual([...derived]);
});

test("the chart installs the image of its own version", () => {
  const { version } = JSON.parse(read("package.json")) as { version: string };
  const chart = loadYaml<{ version: string; appVersion: string }>(read(`${CHART}/Chart.yaml`));
  expect([chart.version, chart.appVersion]).toEqual([version, version]);
});

describe("the schema of the values", () => {
  test("refuses every name that it does not know, except in what Kubernetes itself reads", () => {
    const open: string[] = [];
    walk("values", schema, (path, part) => {
      if (part.type === "object" && part.additionalProperties === undefined) open.push(path);
    });
    expect(open.toSorted()).toEqual([
      "values.affinity.nodeAffinity",
      "values.affinity.podAffinity",
      "values.affinity.podAntiAffinity",
      "values.environment[].valueFrom",
      "values.global",
      "values.networkPolicy.metricsFrom[].ipBlock",
      "values.networkPolicy.metricsFrom[].namespaceSelector",
      "values.networkPolicy.metricsFrom[].podSelector",
    ]);
  });

  test("knows the values that there are, and no others", () => {
    const known: string[] = [];
    const list = (path: string, part: Schema | undefined): void => {
      // Kubernetes' own structure, without defaults of ours.
      const isTheirs = path.endsWith(".affinity");
      const properties = isTheirs ? [] : Object.entries(resolve(part)?.properties ?? {});
      if (properties.length === 0) known.push(path);
      for (const [name, child] of properties) list(`${path}.${name}`, child);
    };
    list("values", schema);
    const present: string[] = [];
    const listValues = (path: string, value: unknown): void => {
      const entries = isMap(value) ? Object.entries(value) : [];
      if (entries.length === 0 || known.includes(path)) present.push(path);
      else for (const [name, child] of entries) listValues(`${path}.${name}`, child);
    };
    listValues("values", values);
    // Named where a part of them has no default.
    const optional = ["values.global", /\.resources\.(requests|limits)\.cpu$/];
    const isOptional = (path: string): boolean =>
      optional.some((pattern) => (typeof pattern === "string" ? pattern === path : pattern.test(path)));
    expect(present.filter((path) => !known.includes(path))).toEqual([]);
    expect(known.filter((path) => !present.includes(path) && !isOptional(path))).toEqual([]);
  });
});

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
