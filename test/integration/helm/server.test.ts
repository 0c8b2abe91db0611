import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { combinations, createHelm, HELM_LIMIT_MS, NAMESPACE, type Helm } from "../../support/helm.ts";
import { START_LIMIT_MS, startTestApiServer, type TestApiServer } from "../../support/kube.ts";

/** Every combination of values, taken by a real API server: fields checked strictly, Pods held to Pod Security restricted. */

const combined = await combinations();
let api: TestApiServer;
let helm: Helm;

beforeAll(async () => {
  [api, helm] = await Promise.all([startTestApiServer(), createHelm()]);
  for (const crd of ["pod-monitor.yaml", "prometheus-rule.yaml"]) {
    await api.applyCrd(join(import.meta.dirname, crd));
  }
  await api.createNamespace(NAMESPACE);
  const levels = ["enforce", "warn"].map((level) => `pod-security.kubernetes.io/${level}=restricted`);
  await api.kubectlOk(["label", "namespace", NAMESPACE, ...levels]);
}, START_LIMIT_MS + HELM_LIMIT_MS);
afterAll(async () => {
  await Promise.all([api?.stop(), helm?.close()]);
});

test.each(combined)(
  "the values %s make objects that the API server takes without a warning",
  async (_name, args) => {
    const { stderr, code } = await api.kubectl(
      ["apply", "--dry-run=server", "--validate=strict", "-f", "-"],
      {
        input: await helm.template(args),
      },
    );
    expect(stderr).toBe("");
    expect(code).toBe(0);
  },
);

test("a Pod that may do more is noticed here", async () => {
  const text = (await helm.template()).replaceAll(
    "allowPrivilegeEscalation: false",
    "allowPrivilegeEscalation: true",
  );
  const { stderr } = await api.kubectl(["apply", "--dry-run=server", "-f", "-"], { input: text });
  expect(stderr).toContain(
    'would violate PodSecurity "restricted:latest": allowPrivilegeEscalation != false',
  );
});

test("the City resource of the chart is what crds/city.yaml makes", async () => {
  const specOf = async (): Promise<unknown> =>
    JSON.parse(await api.kubectlOk(["get", "crd", "cities.dispatch.city", "-o", "jsonpath={.spec}"]));
  await api.applyCrd("crds/city.yaml");
  const source = await specOf();
  await api.kubectlOk(["apply", "--server-side", "--force-conflicts", "-f", "-"], {
    input: await helm.template(["--show-only", "templates/crd.yaml"]),
  });
  expect(await specOf()).toEqual(source);
});
