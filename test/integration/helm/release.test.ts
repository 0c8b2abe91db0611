import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { CHART, createHelm, HELM_LIMIT_MS, NAMESPACE, type Helm } from "../../support/helm.ts";
import { START_LIMIT_MS, startTestApiServer, type TestApiServer } from "../../support/kube.ts";

/** The life of a release on a real API server. Nothing runs here, so hooks are left out and nobody waits. */

const CITY = `
apiVersion: dispatch.city/v1alpha1
kind: City
metadata: { name: madrid, namespace: ${NAMESPACE} }
spec: { period: 5s }
`;
let api: TestApiServer;
let helm: Helm;
let newer: string;

beforeAll(async () => {
  [api, helm] = await Promise.all([startTestApiServer(), createHelm()]);
  await api.createNamespace(NAMESPACE);
  newer = await mkdtemp(join(tmpdir(), "city-operator-chart-"));
}, START_LIMIT_MS + HELM_LIMIT_MS);
afterAll(async () => {
  await Promise.all([api?.stop(), helm?.close(), rm(newer, { recursive: true, force: true })]);
});

async function run(...args: string[]): Promise<string> {
  const where = ["--namespace", NAMESPACE, "--kubeconfig", api.kubeconfigPath];
  const { stdout, stderr, code } = await helm.run([...args, ...where]);
  if (code !== 0) throw new Error(`helm ${args.join(" ")}: ${stderr}`);
  return stdout;
}

const install = (...settings: string[]) => run("install", "city-operator", CHART, "--no-hooks", ...settings);

const uidOf = (...object: string[]): Promise<string> =>
  api.kubectlOk(["-n", NAMESPACE, "get", ...object, "-o", "jsonpath={.metadata.uid}"]);

test("an installation says what to type next, and an upgrade brings a changed City resource along", async () => {
  const notes = await install();
  expect(notes).toContain("kubectl -n dispatch wait --for=condition=Ready city/madrid");
  await api.kubectlOk(["wait", "--for=condition=Established", "--timeout=30s", "crd/cities.dispatch.city"]);
  await api.kubectlOk(["apply", "-f", "-"], { input: CITY });

  await cp(CHART, newer, { recursive: true });
  const crd = join(newer, "files", "city.yaml");
  await writeFile(crd, (await readFile(crd, "utf8")).replace("shortNames: [cty]", "shortNames: [cty, town]"));
  await run("upgrade", "city-operator", newer, "--no-hooks");
  expect(
    await api.kubectlOk(["get", "crd", "cities.dispatch.city", "-o", "jsonpath={.spec.names.shortNames}"]),
  ).toBe('["cty","town"]');
  await run("rollback", "city-operator", "1", "--no-hooks");
  expect(
    await api.kubectlOk(["get", "crd", "cities.dispatch.city", "-o", "jsonpath={.spec.names.shortNames}"]),
  ).toBe('["cty"]');
}, 60_000);

test("an uninstallation leaves the City resource and the Cities, and the next one takes them up", async () => {
  const before = [await uidOf("crd", "cities.dispatch.city"), await uidOf("city", "madrid")];
  await run("uninstall", "city-operator", "--no-hooks");
  const left = await api.kubectlOk(["-n", NAMESPACE, "get", "deploy,role,sa,netpol,pdb", "-o", "name"]);
  expect(left.split("\n").filter((name) => name.includes("city-operator"))).toEqual([]);
  const cluster = ["clusterrole,clusterrolebinding,priorityclass,validatingadmissionpolicy"];
  const global = await api.kubectlOk([
    "get",
    ...cluster,
    "-l",
    "app.kubernetes.io/instance=city-operator",
    "-o",
    "name",
  ]);
  expect(global).toBe("");
  await install();
  expect([await uidOf("crd", "cities.dispatch.city"), await uidOf("city", "madrid")]).toEqual(before);
}, 60_000);
