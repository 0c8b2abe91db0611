import { readFileSync } from "node:fs";
import { loadYaml } from "@kubernetes/client-node";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import {
  CHART,
  combinations,
  createHelm,
  find,
  HELM_LIMIT_MS,
  type Helm,
  type Manifest,
} from "../../support/helm.ts";

/** What the chart makes of its values. */

type Container = {
  readonly name: string;
  readonly image: string;
  readonly args: readonly string[];
  readonly env: readonly { readonly name: string; readonly value?: string }[];
  readonly securityContext: unknown;
  readonly resources: { readonly requests: object; readonly limits: object };
  readonly volumeMounts: readonly object[];
  readonly terminationMessagePolicy: string;
};
type PodSpec = {
  readonly serviceAccountName: string;
  readonly automountServiceAccountToken: boolean;
  readonly priorityClassName?: string;
  readonly terminationGracePeriodSeconds?: number;
  readonly securityContext: {
    readonly runAsNonRoot: boolean;
    readonly seccompProfile: { readonly type: string };
  };
  readonly containers: readonly [Container];
  readonly volumes: readonly unknown[];
};
type PodTemplate = { readonly metadata: Pick<Manifest["metadata"], "labels">; readonly spec: PodSpec };
type Workload = {
  readonly replicas?: number;
  readonly selector?: { readonly matchLabels: Readonly<Record<string, string>> };
  readonly template: PodTemplate;
};

const combined = await combinations();
let helm: Helm;
let rendered: ReadonlyMap<string, readonly Manifest[]>;

beforeAll(async () => {
  helm = await createHelm();
  rendered = new Map(
    await Promise.all(combined.map(async ([name, args]) => [name, await helm.render(args)] as const)),
  );
}, HELM_LIMIT_MS);
afterAll(async () => {
  await helm?.close();
});

const of = (name: string): readonly Manifest[] => rendered.get(name) ?? [];
const workload = (manifest: Manifest): Workload => manifest["spec"] as Workload;

/** The Pods of a combination by the names of what makes them. */
function pods(name: string): readonly (readonly [string, PodSpec])[] {
  return of(name).flatMap((manifest): readonly (readonly [string, PodSpec])[] => {
    if (manifest.kind === "Pod") return [[manifest.metadata.name, manifest["spec"] as PodSpec]];
    const template = (manifest["spec"] as Partial<Workload> | undefined)?.template;
    return template === undefined ? [] : [[manifest.metadata.name, template.spec]];
  });
}

function envOf(spec: PodSpec, name: string): string | undefined {
  return spec.containers[0].env.find((variable) => variable.name === name)?.value;
}

test.each(combined)(
  "the chart with the values %s lints without a word but about an icon",
  async (_name, args) => {
    const { stdout, code } = await helm.run(["lint", "--strict", CHART, ...args]);
    expect(stdout.split("\n").filter((line) => line.startsWith("["))).toEqual([
      "[INFO] Chart.yaml: icon is recommended",
    ]);
    expect(code).toBe(0);
  },
);

test("without any value there is what a small installation needs", () => {
  expect(
    of("default")
      .map(({ kind, metadata }) => `${kind}/${metadata.name}`)
      .toSorted(),
  ).toEqual([
    "ClusterRole/city-operator-dispatch",
    "ClusterRoleBinding/city-operator-dispatch",
    "CustomResourceDefinition/cities.dispatch.city",
    "Deployment/city-operator",
    "Deployment/city-operator-worker-default",
    "Job/city-operator-migrate",
    "NetworkPolicy/city-operator-migrate",
    "NetworkPolicy/city-operator-operator",
    "NetworkPolicy/city-operator-test",
    "NetworkPolicy/city-operator-worker",
    "Pod/city-operator-audit",
    "PodDisruptionBudget/city-operator",
    "PodDisruptionBudget/city-operator-worker-default",
    "PriorityClass/city-operator-dispatch",
    "Role/city-operator",
    "Role/city-operator-worker",
    "RoleBinding/city-operator",
    "RoleBinding/city-operator-worker",
    "ServiceAccount/city-operator",
    "ServiceAccount/city-operator-migrate",
    "ServiceAccount/city-operator-worker",
    "ValidatingAdmissionPolicy/city-operator-dispatch-city-leases",
    "ValidatingAdmissionPolicy/city-operator-dispatch-worker-leases",
    "ValidatingAdmissionPolicyBinding/city-operator-dispatch-city-leases",
    "ValidatingAdmissionPolicyBinding/city-operator-dispatch-worker-leases",
  ]);
});

test("the City resource is that of the sources, and stays when the release goes", () => {
  const crd = find(of("default"), "CustomResourceDefinition", "cities.dispatch.city");
  const source = loadYaml<Manifest>(readFileSync("crds/city.yaml", "utf8"));
  expect(crd["spec"]).toEqual(source["spec"]);
  expect(crd.metadata.annotations).toEqual({ "helm.sh/resource-policy": "keep" });
  expect(of("bare").some(({ kind }) => kind === "CustomResourceDefinition")).toBe(false);
});

describe.each(combined)("every Pod with the values %s", (name) => {
  test("may do no more than Pod Security restricted allows", () => {
    for (const [, spec] of pods(name)) {
      expect(spec.securityContext).toMatchObject({
        runAsNonRoot: true,
        seccompProfile: { type: "RuntimeDefault" },
      });
      expect(spec.containers[0].securityContext).toEqual({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        runAsNonRoot: true,
        runAsUser: 65_532,
        runAsGroup: 65_532,
        capabilities: { drop: ["ALL"] },
        seccompProfile: { type: "RuntimeDefault" },
      });
    }
  });

  test("asks for memory and bounds it, and leaves its last words in its status", () => {
    for (const [, { containers }] of pods(name)) {
      expect(Object.keys(containers[0].resources.requests)).toEqual(["cpu", "ephemeral-storage", "memory"]);
      expect(Object.keys(containers[0].resources.limits)).toEqual(["ephemeral-storage", "memory"]);
      expect(containers[0].terminationMessagePolicy).toBe("FallbackToLogsOnError");
    }
  });

  test("mounts a token only where it speaks to the API server", () => {
    for (const [pod, spec] of pods(name)) {
      const speaks = ["operator", "worker"].includes(spec.containers[0].name);
      expect([pod, spec.automountServiceAccountToken]).toEqual([pod, speaks]);
    }
  });

  test("sees the URL of its own account and no other, but for the migration", () => {
    const keys = Object.fromEntries(
      pods(name).map(([, { containers, volumes }]) => [
        containers[0].name,
        [...JSON.stringify(volumes).matchAll(/"key":"([a-z]+-url)"/g)].map((match) => match[1]),
      ]),
    );
    const expected = {
      operator: ["operator-url"],
      worker: ["worker-url"],
      migrate: ["admin-url", "operator-url", "worker-url", "feed-url"],
      audit: ["operator-url"],
      traffic: ["feed-url"],
    };
    expect(expected).toMatchObject(keys);
  });

  test("is found by its own selector, and by nobody else's", () => {
    const workloads = of(name).filter(({ kind }) => kind === "Deployment");
    for (const mine of workloads) {
      const matching = workloads.filter((other) =>
        Object.entries(workload(mine).selector?.matchLabels ?? {}).every(
          ([key, value]) => workload(other).template.metadata.labels[key] === value,
        ),
      );
      expect(matching.map(({ metadata }) => metadata.name)).toEqual([mine.metadata.name]);
    }
  });
});

describe("every object", () => {
  const RECOMMENDED = ["name", "instance", "component", "version", "part-of", "managed-by"];

  test.each(combined)(
    "with the values %s has the recommended labels, and a namespace where it needs one",
    (name) => {
      const global = /^(Cluster|Priority|Validating|CustomResource)/;
      for (const { kind, metadata } of of(name)) {
        expect(Object.keys(metadata.labels)).toEqual(
          expect.arrayContaining([
            "helm.sh/chart",
            ...RECOMMENDED.map((label) => `app.kubernetes.io/${label}`),
          ]),
        );
        expect([kind, metadata.namespace]).toEqual([kind, global.test(kind) ? undefined : "dispatch"]);
      }
    },
  );
});

describe("a worker", () => {
  const worker = (name: string, deployment: string): PodTemplate =>
    workload(find(of(name), "Deployment", deployment)).template;

  test("has the label by which the operator watches its Pod, and knows its pool and version", () => {
    const { metadata, spec } = worker("production", "city-operator-worker-large");
    expect(metadata.labels).toMatchObject({
      "dispatch.city/component": "worker",
      "dispatch.city/pool": "large",
    });
    expect([envOf(spec, "WORKER_POOL"), envOf(spec, "VERSION")]).toEqual(["large", "0123456789ab"]);
    expect(spec.containers[0].image).toMatch(/^registry\.example\.com\/platform\/city-operator@sha256:/);
  });

  test("has time to drain and fifteen seconds more", () => {
    for (const [name, deployment] of [
      ["default", "city-operator-worker-default"],
      ["production", "city-operator-worker-default"],
    ] as const) {
      const { spec } = worker(name, deployment);
      const drain = Number(envOf(spec, "DRAIN_LIMIT")?.replace("s", ""));
      expect(spec.terminationGracePeriodSeconds).toBe(drain + 15);
    }
  });

  test("has what its pool says, and otherwise what all workers have", () => {
    const large = worker("production", "city-operator-worker-large").spec;
    expect([envOf(large, "DISPATCH_THREADS"), envOf(large, "WORKER_CAPACITY")]).toEqual(["3", "400"]);
    expect(envOf(large, "DRAIN_LIMIT")).toBe("120s");
    expect(envOf(worker("production", "city-operator-worker-default").spec, "DISPATCH_THREADS")).toBe("1");
  });

  test("has the company's own dispatchers where its pool says what volume they are on", () => {
    const large = worker("production", "city-operator-worker-large").spec;
    expect(envOf(large, "DISPATCHERS")).toBe("/dispatchers");
    expect(large.volumes).toContainEqual({ name: "dispatchers", configMap: { name: "dispatchers" } });
    expect(large.containers[0].volumeMounts).toContainEqual({
      name: "dispatchers",
      mountPath: "/dispatchers",
      readOnly: true,
    });
    const small = worker("production", "city-operator-worker-default").spec;
    expect(envOf(small, "DISPATCHERS")).toBeUndefined();
    expect(JSON.stringify(small)).not.toContain("dispatchers");
  });

  test("is counted by the autoscaler alone where there is one", () => {
    const replicas = (deployment: string) =>
      workload(find(of("autoscaled"), "Deployment", deployment)).replicas;
    expect(replicas("city-operator-worker-default")).toBeUndefined();
    expect(replicas("city-operator-worker-steady")).toBe(1);
    const scalers = of("autoscaled").filter(({ kind }) => kind === "HorizontalPodAutoscaler");
    expect(scalers.map(({ metadata }) => metadata.name)).toEqual(["city-operator-worker-default"]);
  });

  test("verifies the database's certificate as the values say", () => {
    const { spec } = worker("production", "city-operator-worker-default");
    expect(envOf(spec, "DATABASE_SSL_MODE")).toBe("VERIFY_IDENTITY");
    expect(envOf(spec, "DATABASE_SSL_CA")).toBe("/etc/city-operator/database-ca/ca.crt");
    expect(JSON.stringify(spec.volumes)).toContain('"secretName":"mysql-ca"');
  });
});

test("the migration waits for the database, and leaves the reference tables out where the values say so", () => {
  const args = (name: string) =>
    workload(find(of(name), "Job", "city-operator-migrate")).template.spec.containers[0].args;
  expect(args("default")).toEqual(["migrate", "--wait=240s"]);
  expect(args("own-schema")).toEqual(["migrate", "--wait=0s", "--without-reference"]);
});

test("an existing priority class is used and none is made", () => {
  expect(of("own-schema").some(({ kind }) => kind === "PriorityClass")).toBe(false);
  const classes = pods("own-schema").map(([, spec]) => spec.priorityClassName);
  expect(new Set(classes)).toEqual(new Set(["system-cluster-critical", undefined]));
});
