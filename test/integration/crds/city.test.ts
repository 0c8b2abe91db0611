import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { DEFAULT_DISPATCH, DEFAULT_DISPATCHER } from "../../../crds/city.ts";
import { START_LIMIT_MS, startTestApiServer, type TestApiServer } from "../../support/kube.ts";

/** The City resource as people meet it: through kubectl, against the real API server. */

let api: TestApiServer;

beforeAll(async () => {
  api = await startTestApiServer();
  await api.applyCrd("crds/city.yaml");
}, START_LIMIT_MS);

afterAll(async () => {
  await api?.stop();
});

function city(spec: string, name = "madrid"): string {
  return `
apiVersion: dispatch.city/v1alpha1
kind: City
metadata:
  name: ${name}
spec: ${spec}
`;
}

async function refusal(spec: string, name?: string): Promise<string> {
  const { stderr, code } = await api.kubectl(["apply", "--dry-run=server", "-f", "-"], {
    input: city(spec, name),
  });
  expect(code).not.toBe(0);
  return stderr;
}

describe("a City", () => {
  test("with nothing but a period gets every default", async () => {
    await api.kubectlOk(["apply", "-f", "-"], { input: city('{ period: "5s" }') });
    const stored = JSON.parse(await api.kubectlOk(["get", "city", "madrid", "-o", "json"])) as {
      spec: unknown;
    };
    expect(stored.spec).toEqual({
      period: "5s",
      suspend: false,
      workerPool: "default",
      timeZone: "Etc/UTC",
      stallAfterTicks: 3,
      dispatch: DEFAULT_DISPATCH,
      dispatcher: DEFAULT_DISPATCHER,
      dispatcherParameters: {},
      recordPercent: 0,
    });
  });

  test("with one weight or one kind of vehicle gets the others' defaults", async () => {
    const dispatch = "{ weights: { age: 5 }, vehicleSpeeds: { bicycle: 250 } }";
    await api.kubectlOk(["apply", "-f", "-"], {
      input: city(`{ period: "5s", dispatch: ${dispatch} }`, "rome"),
    });
    const stored = JSON.parse(await api.kubectlOk(["get", "city", "rome", "-o", "json"])) as {
      spec: { dispatch: unknown };
    };
    expect(stored.spec.dispatch).toEqual({
      ...DEFAULT_DISPATCH,
      vehicleSpeeds: { bicycle: 250 },
      weights: { ...DEFAULT_DISPATCH.weights, age: 5 },
    });
  });

  test.each(["200ms", "10m", "1m30s", "2500ms"])("accepts the period %s", async (period) => {
    await api.kubectlOk(["apply", "--dry-run=server", "-f", "-"], { input: city(`{ period: "${period}" }`) });
  });

  test.each(["199ms", "11m", "5", "5 s", "-5s", "1.5s", ""])(
    "refuses the period %p and says what to write",
    async (period) => {
      expect(await refusal(`{ period: "${period}" }`)).toContain(
        `period is "${period}": write a duration from 200ms to 10m, such as "5s"`,
      );
    },
  );

  test("refuses a time zone that does not exist and says what to write", async () => {
    expect(await refusal('{ period: "5s", timeZone: "Europe/Madird" }')).toContain(
      "timeZone is not known: write an IANA name, such as Europe/Madrid",
    );
    expect(await refusal('{ period: "5s", timeZone: "Local" }')).toContain("write an IANA name");
  });

  test.each(["Europe/Madrid", "America/Argentina/Buenos_Aires", "Etc/UTC", "Asia/Kolkata"])(
    "accepts the time zone %s",
    async (timeZone) => {
      await api.kubectlOk(["apply", "--dry-run=server", "-f", "-"], {
        input: city(`{ period: "5s", timeZone: "${timeZone}" }`),
      });
    },
  );

  test("refuses a field that is not in the schema by its name", async () => {
    expect(await refusal('{ perod: "5s", period: "5s" }')).toContain('unknown field "spec.perod"');
  });

  test("refuses a name that would not fit a label", async () => {
    expect(await refusal('{ period: "5s" }', "a".repeat(64))).toContain(
      "metadata.name is longer than 63 characters",
    );
  });

  test.each([
    ['workerPool: "Big Pool"', "write a pool name in lower-case letters"],
    ["weight: 0", "spec.weight"],
    ["weight: 1001", "spec.weight"],
    ["stallAfterTicks: 1", "spec.stallAfterTicks"],
    ['dispatch: { horizon: "5h" }', 'horizon is "5h": write a duration from 1s to 4h, such as "20m"'],
    ['dispatch: { serviceTime: "2h" }', "write a duration from 0s to 1h"],
    ['dispatch: { pickupTravelMax: "0s" }', "write a duration from 1s to 4h"],
    ['dispatch: { courierFreeWithin: "soon" }', "write a duration from 0s to 4h"],
    ["dispatch: { courierSpeedMetersPerMinute: 0 }", "courierSpeedMetersPerMinute"],
    ["dispatch: { vehicleSpeeds: { bicycle: 0 } }", "spec.dispatch.vehicleSpeeds.bicycle"],
    [
      'dispatch: { vehicleSpeeds: { "my bike": 250 } }',
      "a kind in vehicleSpeeds has up to 32 letters, digits",
    ],
    ["dispatch: { vehicleSpeeds: { __proto__: 250 } }", "write it as your couriers' rows do"],
    ["dispatch: { bundleOrdersMax: 4 }", "spec.dispatch.bundleOrdersMax"],
    [
      'dispatch: { bundleDelayMax: "2h" }',
      'bundleDelayMax is "2h": write a duration from 0s to 1h, such as "5m"',
    ],
    ['dispatch: { clickToDoorTarget: "0s" }', "write a duration from 1s to 4h"],
    ['dispatch: { positionAgeMax: "10" }', 'positionAgeMax is "10": write a duration from 1s to 24h'],
    ['dispatch: { reassignGainMin: "5h" }', "write a duration from 0s to 4h"],
    ["dispatch: { reassignmentsMax: 11 }", "spec.dispatch.reassignmentsMax"],
    ["dispatch: { weights: { lateAtPickup: 0 } }", "spec.dispatch.weights.lateAtPickup"],
    ["dispatch: { weights: { travel: 0.5 } }", "spec.dispatch.weights.travel"],
    ["dispatch: { weights: { speed: 1 } }", 'unknown field "spec.dispatch.weights.speed"'],
  ])("refuses %s with a sentence that helps", async (field, sentence) => {
    expect(await refusal(`{ period: "5s", ${field} }`)).toContain(sentence);
  });

  test("explains each of its fields", async () => {
    type Schema = { description?: string; properties?: Record<string, Schema>; items?: Schema };
    const crd = JSON.parse(await api.kubectlOk(["get", "crd", "cities.dispatch.city", "-o", "json"])) as {
      spec: { versions: { schema: { openAPIV3Schema: { properties: Record<string, Schema> } } }[] };
    };
    const silent: string[] = [];
    const walk = (path: string, schema: Schema): void => {
      if (schema.description === undefined) silent.push(path);
      for (const [name, property] of Object.entries(schema.properties ?? {}))
        walk(`${path}.${name}`, property);
      for (const [name, property] of Object.entries(schema.items?.properties ?? {}))
        walk(`${path}[].${name}`, property);
    };
    const { spec, status } = crd.spec.versions[0]!.schema.openAPIV3Schema.properties;
    walk("spec", spec!);
    walk("status", status!);
    expect(silent).toEqual([]);
    expect(await api.kubectlOk(["explain", "city.spec.period"])).toContain("Time from one tick to the next");
    expect(await api.kubectlOk(["explain", "city.spec.dispatch.weights.age"])).toContain(
      "has waited without a courier",
    );
  });

  test("has a short name and the columns that a person looks for", async () => {
    await api.kubectlOk(["apply", "-f", "-"], { input: city('{ period: "5s" }') });
    const [header] = (await api.kubectlOk(["get", "cty"])).split("\n");
    expect(header?.trim().split(/\s{2,}/)).toEqual([
      "NAME",
      "READY",
      "WORKER",
      "TICK",
      "LAST COMMIT",
      "PERIOD",
      "AGE",
    ]);
    const [wide] = (await api.kubectlOk(["get", "cities", "-o", "wide"])).split("\n");
    expect(wide).toContain("REASON");
    expect(wide).toContain("TOKEN");
  });
});
