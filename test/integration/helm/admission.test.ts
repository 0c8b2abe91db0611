import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { taskSpecOf, type City } from "../../../crds/city.ts";
import { encodeAssignment, encodeHeartbeat, type Lease } from "../../../crds/lease.ts";
import { kubeconfigText, writePrivately } from "../../../local/control-plane/instance.ts";
import { createKubectl, type Kubectl } from "../../../local/control-plane/kubectl.ts";
import { createHelm, HELM_LIMIT_MS, NAMESPACE, type Helm } from "../../support/helm.ts";
import { START_LIMIT_MS, startTestApiServer, type TestApiServer } from "../../support/kube.ts";
import { happensWithin } from "../../support/until.ts";

/** Who may write which Lease, as the API server enforces it with the chart's rights and policies, asked with real tokens. */

const POD = "city-operator-worker-default-5d9c7b6f4-abcde";
const OTHER_POD = "city-operator-worker-default-5d9c7b6f4-vwxyz";
/** Its name begins like the first one's, and goes on. */
const LONGER_POD = `${POD}-f00ba7`;
const NOW_MS = Date.UTC(2026, 0, 1);

let api: TestApiServer;
let helm: Helm;
const uids = new Map<string, string>();
let worker: Kubectl;
let otherWorker: Kubectl;
let operator: Kubectl;

beforeAll(async () => {
  [api, helm] = await Promise.all([startTestApiServer(), createHelm()]);
  await api.createNamespace(NAMESPACE);
  await api.createNamespace("elsewhere");
  const text = await helm.template();
  // Hooks come before the release; here only their kinds matter.
  await api.kubectlOk(["apply", "--server-side", "-f", "-"], { input: text });
  await api.kubectlOk(["wait", "--for=condition=Established", "--timeout=30s", "crd/cities.dispatch.city"]);
  for (const pod of [POD, OTHER_POD, LONGER_POD]) await createPod(pod, "city-operator-worker");
  await createPod("city-operator-0", "city-operator");
  worker = await kubectlOf("city-operator-worker", POD);
  otherWorker = await kubectlOf("city-operator-worker", OTHER_POD);
  operator = await kubectlOf("city-operator", "city-operator-0");
  await happensWithin(30_000, "the enforcement of the policies", async () => {
    const { code } = await worker(["create", "-f", "-"], {
      input: JSON.stringify(heartbeat(OTHER_POD, "000000")),
    });
    return code !== 0;
  });
}, START_LIMIT_MS + HELM_LIMIT_MS);
afterAll(async () => {
  await Promise.all([api?.stop(), helm?.close()]);
});

async function createPod(name: string, serviceAccountName: string): Promise<void> {
  const pod = {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace: NAMESPACE },
    spec: { serviceAccountName, containers: [{ name: "main", image: "none" }] },
  };
  await api.kubectlOk(["apply", "-f", "-"], { input: JSON.stringify(pod) });
  uids.set(
    name,
    await api.kubectlOk(["-n", NAMESPACE, "get", "pod", name, "-o", "jsonpath={.metadata.uid}"]),
  );
}

/** kubectl with the token that the kubelet would mount into this Pod; without a Pod, with one of the service account alone. */
async function kubectlOf(account: string, pod?: string): Promise<Kubectl> {
  const bound = pod === undefined ? [] : ["--bound-object-kind=Pod", `--bound-object-name=${pod}`];
  const uid = pod === undefined ? [] : [`--bound-object-uid=${uids.get(pod)}`];
  const token = (await api.kubectlOk(["-n", NAMESPACE, "create", "token", account, ...bound, ...uid])).trim();
  const path = join(api.directory, `${account}-${pod ?? "nobody"}.kubeconfig`);
  const ca = await readFile(api.caFile, "utf8");
  await writePrivately(path, kubeconfigText({ url: api.url, token, ca }));
  return createKubectl({ path: api.kubectlPath, kubeconfigPath: path, cacheDirectory: api.directory });
}

function heartbeat(pod: string, id: string, changes: { readonly podUid?: string } = {}): Lease {
  return encodeHeartbeat({
    heartbeat: {
      worker: `${pod}-${id}`,
      pod,
      pool: "default",
      zone: "unknown",
      version: "1",
      capacity: 100,
      draining: false,
      databaseReachable: true,
      intervalMs: 5_000,
      since: "2026-01-01T00:00:00.000000Z",
    },
    namespace: NAMESPACE,
    podUid: changes.podUid ?? uids.get(pod),
    replaces: undefined,
    nowMs: NOW_MS,
  });
}

function cityLease(holder: string): Lease {
  const city = {
    apiVersion: "dispatch.city/v1alpha1",
    kind: "City",
    metadata: { name: "madrid", namespace: NAMESPACE, uid: "11111111-2222-4333-8444-555555555555" },
    spec: { period: "5s" },
  } as City;
  const task = taskSpecOf(city, { clusterUid: "22222222-2222-4333-8444-555555555555", epoch: 1n }, NOW_MS);
  return encodeAssignment({ city, worker: holder, task, replaces: undefined, nowMs: NOW_MS });
}

/** Whichever of the two policies it is that the API server tells of. */
const ONLY_THE_OPERATOR = "only the City operator writes City Leases, and ";

/** Nobody here has the right to patch a Lease, so these are the two ways of writing one. */
const create = (kubectl: Kubectl, object: unknown) =>
  kubectl(["create", "-f", "-"], { input: JSON.stringify(object) });
const replace = (kubectl: Kubectl, object: unknown) =>
  kubectl(["replace", "-f", "-"], { input: JSON.stringify(object) });

async function refusal(running: ReturnType<Kubectl>): Promise<string> {
  const { stderr, code } = await running;
  expect(code).not.toBe(0);
  return stderr;
}

const done = async (running: ReturnType<Kubectl>): Promise<void> => {
  expect(await running).toMatchObject({ code: 0 });
};

describe("a worker", () => {
  test("writes, renews and removes the Lease of its own Pod", async () => {
    const lease = heartbeat(POD, "a1b2c3");
    await done(create(worker, lease));
    await done(
      replace(worker, { ...lease, spec: { ...lease.spec, renewTime: "2026-01-01T00:00:05.000000Z" } }),
    );
    await done(worker(["-n", NAMESPACE, "delete", "lease", lease.metadata.name]));
  });

  test("removes the Lease of an earlier process of its own Pod", async () => {
    await done(create(worker, heartbeat(POD, "01dd1e")));
    await done(worker(["-n", NAMESPACE, "delete", "lease", `worker-${POD}-01dd1e`]));
  });

  test.each([
    ["another Pod's", OTHER_POD],
    ["that of a Pod whose name goes on where its own ends", LONGER_POD],
  ])("does not write %s Lease", async (_whose, pod) => {
    expect(await refusal(create(worker, heartbeat(pod, "a1b2c3")))).toContain(
      `the worker in Pod ${POD} writes only its own Leases, worker-${POD}-<6 hexadecimal digits>, not worker-${pod}-a1b2c3`,
    );
  });

  test("neither changes nor removes another worker's Lease", async () => {
    const lease = heartbeat(OTHER_POD, "a1b2c3");
    await done(create(otherWorker, lease));
    expect(await refusal(replace(worker, lease))).toContain("writes only its own Leases");
    expect(await refusal(worker(["-n", NAMESPACE, "delete", "lease", lease.metadata.name]))).toContain(
      "writes only its own Leases",
    );
  });

  test("does not write a City Lease, by whatever name", async () => {
    expect(await refusal(create(worker, cityLease(`${POD}-a1b2c3`)))).toContain(ONLY_THE_OPERATOR);
    const disguised = heartbeat(POD, "a1b2c3");
    const labels = { ...disguised.metadata.labels, "dispatch.city/component": "city" };
    const relabelled = { ...disguised, metadata: { ...disguised.metadata, labels } };
    expect(await refusal(create(worker, relabelled))).toContain(ONLY_THE_OPERATOR);
  });

  test("does not give itself a City that the operator gave to another", async () => {
    const lease = cityLease(`${OTHER_POD}-a1b2c3`);
    await done(create(operator, lease));
    expect(await refusal(replace(worker, cityLease(`${POD}-a1b2c3`)))).toContain(ONLY_THE_OPERATOR);
    const unlabelled = { ...lease, metadata: { ...lease.metadata, labels: {} } };
    expect(await refusal(replace(worker, unlabelled))).toContain(ONLY_THE_OPERATOR);
    expect(await refusal(worker(["-n", NAMESPACE, "delete", "lease", "city-madrid"]))).toContain(
      ONLY_THE_OPERATOR,
    );
    await done(operator(["-n", NAMESPACE, "delete", "lease", "city-madrid"]));
  });

  test("owns its Lease by its own Pod's UID", async () => {
    const stolen = heartbeat(POD, "a1b2c3", { podUid: uids.get(OTHER_POD)! });
    expect(await refusal(create(worker, stolen))).toContain("a worker's Lease is owned by the worker's Pod");
  });

  test("does not pass for another worker in its own Lease", async () => {
    const lease = heartbeat(POD, "a1b2c3");
    const other = { ...lease, spec: { ...lease.spec, holderIdentity: `${OTHER_POD}-a1b2c3` } };
    expect(await refusal(create(worker, other))).toContain(
      "the holder of a worker's Lease is the worker that",
    );
  });

  test("writes nothing with a token that no Pod was given", async () => {
    const stray = await kubectlOf("city-operator-worker");
    expect(await refusal(create(stray, heartbeat(POD, "a1b2c3")))).toContain(
      "this token was not given to a Pod",
    );
  });

  test("writes no City, no status, no event, and nothing in another namespace", async () => {
    const mayI = async (...args: string[]): Promise<string> =>
      (await worker(["auth", "can-i", ...args])).stdout.trim();
    for (const verb of ["get", "list", "create", "patch", "update", "delete"]) {
      expect([verb, await mayI(verb, "cities.dispatch.city", "-n", NAMESPACE)]).toEqual([verb, "no"]);
    }
    expect(await mayI("patch", "cities.dispatch.city/status", "-n", NAMESPACE)).toBe("no");
    expect(await mayI("create", "events.events.k8s.io", "-n", NAMESPACE)).toBe("no");
    expect(await mayI("get", "secrets", "-n", NAMESPACE)).toBe("no");
    expect(await mayI("get", "leases.coordination.k8s.io", "-n", "elsewhere")).toBe("no");
    expect(await mayI("watch", "leases.coordination.k8s.io", "-n", NAMESPACE)).toBe("yes");
  });
});

describe("a City Lease", () => {
  test("is written by the operator", async () => {
    await done(create(operator, cityLease("w1")));
    await done(replace(operator, cityLease("w2")));
    await done(operator(["-n", NAMESPACE, "delete", "lease", "city-madrid"]));
  });

  test("is written by no administrator, who is told what to do instead", async () => {
    expect(await refusal(create(api.kubectl, cityLease("w1")))).toContain(
      "only the City operator writes City Leases, and admin is somebody else: to move or stop a City, change its spec",
    );
  });

  test("is cleaned up by Kubernetes' own controllers", async () => {
    await done(create(operator, cityLease("w1")));
    const collector = [
      "--as=system:serviceaccount:kube-system:generic-garbage-collector",
      "--as-group=system:masters",
    ];
    await done(api.kubectl([...collector, "-n", NAMESPACE, "delete", "lease", "city-madrid"]));
  });

  test("in another namespace is nobody's business here", async () => {
    const lease = cityLease("w1");
    await done(create(api.kubectl, { ...lease, metadata: { ...lease.metadata, namespace: "elsewhere" } }));
  });
});

test("other Leases of the namespace are left alone", async () => {
  const lease = {
    apiVersion: "coordination.k8s.io/v1",
    kind: "Lease",
    metadata: { name: "city-importer", namespace: NAMESPACE },
    spec: { holderIdentity: "importer-0" },
  };
  await done(create(api.kubectl, lease));
  await done(create(operator, { ...lease, metadata: { name: "dispatch-operator", namespace: NAMESPACE } }));
});
