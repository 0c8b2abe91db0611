import { beforeAll, describe, expect, test } from "@jest/globals";
import { output, type Output } from "@pulumi/pulumi";
import { City } from "../city.ts";
import { CityOperator, type CityOperatorArgs } from "../city-operator.ts";
import { askedBy, installMocks, only, revealed } from "./program.ts";

const NAMESPACE = "kubernetes:core/v1:Namespace";
const SECRET = "kubernetes:core/v1:Secret";
const RELEASE = "kubernetes:helm.sh/v3:Release";
const CITY = "kubernetes:dispatch.city/v1alpha1:City";

const URLS = { operator: "mysql://o", worker: "mysql://w", admin: "mysql://a" };
const ARGS: CityOperatorArgs = {
  image: { repository: "registry.example.com/city-operator", tag: "0.1.0" },
  database: { urls: URLS },
};

beforeAll(() => installMocks({}));

const valueOf = <Value>(of: Output<Value>): Promise<Value> => {
  const { promise, resolve } = Promise.withResolvers<Value>();
  of.apply(resolve);
  return promise;
};

describe("a City operator", () => {
  test("has a namespace of its own, in which Pod Security restricted is enforced", async () => {
    const asked = await askedBy(() => new CityOperator("dispatch", { ...ARGS, namespace: "cities" }));
    expect(only(asked, NAMESPACE).inputs["metadata"]).toEqual({
      name: "cities",
      labels: {
        "pod-security.kubernetes.io/enforce": "restricted",
        "pod-security.kubernetes.io/audit": "restricted",
        "pod-security.kubernetes.io/warn": "restricted",
      },
    });
    expect(only(asked, RELEASE).inputs["namespace"]).toBe("cities");
  });

  test("lives in a namespace that is there already, if told so", async () => {
    const asked = await askedBy(() => new CityOperator("dispatch", { ...ARGS, createsNamespace: false }));
    expect(asked.map(({ type }) => type)).not.toContain(NAMESPACE);
    expect(only(asked, RELEASE).inputs["namespace"]).toBe("dispatch");
  });

  test("keeps the database's URLs secret, under the keys that the chart reads", async () => {
    const asked = await askedBy(
      () => new CityOperator("dispatch", { ...ARGS, database: { urls: { ...URLS, feed: "mysql://f" } } }),
    );
    const { inputs } = only(asked, SECRET);
    expect(inputs["metadata"]).toEqual({ name: "city-operator-database", namespace: "dispatch" });
    expect(revealed(inputs["stringData"])).toEqual({
      "operator-url": "mysql://o",
      "worker-url": "mysql://w",
      "admin-url": "mysql://a",
      "feed-url": "mysql://f",
    });
    expect(JSON.stringify(only(asked, RELEASE).inputs)).not.toContain("mysql://");
  });

  test("uses a Secret that somebody else keeps", async () => {
    const asked = await askedBy(
      () => new CityOperator("dispatch", { ...ARGS, database: { secretName: output("vault-mysql") } }),
    );
    expect(asked.map(({ type }) => type)).not.toContain(SECRET);
    expect(only(asked, RELEASE).inputs["values"]).toMatchObject({ database: { secretName: "vault-mysql" } });
  });

  test("is the chart beside it as a Helm release, which waits until everything is ready", async () => {
    const asked = await askedBy(() => new CityOperator("dispatch", ARGS));
    expect(only(asked, RELEASE).inputs).toMatchObject({
      name: "city-operator",
      chart: expect.stringMatching(/helm\/city-operator$/),
      timeout: 600,
      waitForJobs: true,
    });
    expect(only(asked, RELEASE).inputs).not.toHaveProperty("skipAwait");
  });

  test("gives the chart all further values, and does not lose what stands beside its own", async () => {
    const values = {
      pools: { default: { replicas: 4 } },
      image: { pullPolicy: "Always" },
      database: { tls: { mode: "VERIFY_CA" } },
    };
    const asked = await askedBy(() => new CityOperator("dispatch", { ...ARGS, values }));
    expect(only(asked, RELEASE).inputs["values"]).toEqual({
      pools: { default: { replicas: 4 } },
      image: { pullPolicy: "Always", repository: "registry.example.com/city-operator", tag: "0.1.0" },
      database: { tls: { mode: "VERIFY_CA" }, secretName: "city-operator-database" },
    });
  });

  test("tells its namespace, its Secret and its state", async () => {
    let operator: CityOperator | undefined;
    await askedBy(() => {
      operator = new CityOperator("dispatch", ARGS);
    });
    expect(await valueOf(operator!.namespace)).toBe("dispatch");
    expect(await valueOf(operator!.databaseSecretName)).toBe("city-operator-database");
    expect(await valueOf(operator!.status)).toBe("deployed");
    expect(await valueOf(operator!.chartVersion)).toBe("0.1.0");
  });
});

describe("a City", () => {
  test("is called as it is, and lies in its operator's namespace", async () => {
    const asked = await askedBy(() => {
      const operator = new CityOperator("dispatch", ARGS);
      const spec = { period: "5s", dispatch: { horizon: "30m" } };
      return new City("madrid", { operator, spec, labels: { region: "south" } });
    });
    expect(only(asked, CITY).inputs).toEqual({
      apiVersion: "dispatch.city/v1alpha1",
      kind: "City",
      metadata: { name: "madrid", namespace: "dispatch", labels: { region: "south" } },
      spec: { period: "5s", dispatch: { horizon: "30m" } },
    });
  });

  test("comes after the operator's release and goes before it, so that its fence is sealed", async () => {
    const asked = await askedBy(() => {
      const operator = new CityOperator("dispatch", ARGS);
      return new City("madrid", { operator, spec: { period: "5s" } });
    });
    const { dependsOn } = only(asked, CITY);
    expect(dependsOn.some((urn) => urn.endsWith(`${RELEASE} dispatch`))).toBe(true);
  });
});
