import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { ensureBinaries } from "../control-plane/binaries.ts";
import { etcdArgs } from "../control-plane/flags.ts";
import { kubeconfigText, prepareInstance, writePrivately, type Instance } from "../control-plane/instance.ts";
import { createKubectl, type Kubectl } from "../control-plane/kubectl.ts";
import { awaitReady } from "../control-plane/ready.ts";
import type { Child } from "../process/child.ts";
import { NODE_NAME } from "./addresses.ts";
import { awaitTrue, startFailure } from "./await-true.ts";
import { makeCertificates, type Certificates } from "./certificates.ts";
import { openDoors } from "./door.ts";
import type { Enclosure } from "./enclosure.ts";
import { apiServerArgs, controllerManagerArgs, schedulerArgs } from "./flags.ts";

/**
 * The level "control": etcd, API server, controller manager and scheduler. Deployments get their Pods, and what has lost its
 * owner is deleted; Pods stay Pending, for there is no node.
 */
export type Control = {
  /** An administrator's kubeconfig, which reaches the API server from the machine and from inside alike. */
  readonly kubeconfigPath: string;
  readonly kubectl: Kubectl;
  readonly kubectlPath: string;
  readonly certificates: Certificates;
  /** Kubeconfigs of the parts of the cluster. */
  readonly parts: Readonly<Record<Part, string>>;
  readonly children: readonly Child[];
};

/** User names as Kubernetes knows its own parts by. */
const USERS = {
  controllerManager: { name: "system:kube-controller-manager", groups: [] },
  scheduler: { name: "system:kube-scheduler", groups: [] },
  proxy: { name: "system:kube-proxy", groups: [] },
  kubelet: { name: `system:node:${NODE_NAME}`, groups: ["system:nodes"] },
  dns: { name: "coredns", groups: [] },
} as const;

type Part = keyof typeof USERS;

const ACCOUNT_LIMIT_MS = 30_000;

/** Errors: those of `ensureBinaries`, `cluster-start`. */
export async function startControl(
  input: {
    readonly enclosure: Enclosure;
    readonly directory: string;
    /** Ports of programs inside that the machine shall reach, besides the API server's. */
    readonly doors: readonly number[];
    readonly progress: (line: string) => void;
  },
  signal: AbortSignal,
): Promise<Control> {
  const { enclosure, directory, progress } = input;
  const names = ["etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubectl"] as const;
  const binaries = await ensureBinaries(names, progress, signal);
  const [instance, certificates] = await Promise.all([
    prepareInstance(directory, Object.values(USERS)),
    makeCertificates(join(directory, "certificates")),
  ]);
  const start = (name: (typeof names)[number], args: readonly string[]): Child =>
    enclosure.start({ name, command: binaries[name], args, logFile: join(directory, "log", `${name}.log`) });
  const etcd = start("etcd", etcdArgs(directory, instance));
  const server = start("kube-apiserver", apiServerArgs({ directory, instance, certificates }));
  await openDoors(enclosure.anchor, [instance.apiPort, ...input.doors]);
  const url = `https://127.0.0.1:${instance.apiPort}`;
  const { caFile } = certificates;
  const outcome = await awaitReady({ server, etcd, url, caFile, token: instance.token });
  if (outcome !== "ready") {
    const ended = outcome === "too-late" ? undefined : outcome === "etcd-ended" ? etcd : server;
    throw await startFailure("API server", ended, [etcd, server]);
  }

  const { kubeconfigPath, parts } = await writeKubeconfigs({ directory, url, caFile, instance });
  const kubectl = createKubectl({ path: binaries.kubectl, kubeconfigPath, cacheDirectory: directory });
  const controllerManager = start(
    "kube-controller-manager",
    controllerManagerArgs({ directory, kubeconfig: parts.controllerManager, certificates }),
  );
  const scheduler = start("kube-scheduler", schedulerArgs(parts.scheduler));
  await awaitTrue(
    {
      what: "the default service account",
      limitMs: ACCOUNT_LIMIT_MS,
      children: [controllerManager, scheduler],
    },
    async () => (await kubectl(["get", "serviceaccount", "default", "--namespace=default"])).code === 0,
  );
  return {
    kubeconfigPath,
    kubectl,
    kubectlPath: binaries.kubectl,
    certificates,
    parts,
    children: [etcd, server, controllerManager, scheduler],
  };
}

async function writeKubeconfigs(input: {
  readonly directory: string;
  readonly url: string;
  readonly caFile: string;
  readonly instance: Instance;
}): Promise<Pick<Control, "kubeconfigPath" | "parts">> {
  const { directory, url, instance } = input;
  const ca = await readFile(input.caFile, "utf8");
  const write = async (name: string, token: string): Promise<string> => {
    const path = join(directory, `${name}.kubeconfig`);
    await writePrivately(path, kubeconfigText({ url, token, ca }));
    return path;
  };
  const parts: Partial<Record<Part, string>> = {};
  for (const [part, { name }] of Object.entries(USERS) as [Part, { readonly name: string }][]) {
    const user = instance.users.find((candidate) => candidate.name === name);
    parts[part] = await write(part, user?.token ?? "");
  }
  return {
    kubeconfigPath: await write("admin", instance.token),
    parts: parts as Record<Part, string>,
  };
}
