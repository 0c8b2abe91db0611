import { OperationalError } from "../../runtime/errors.ts";
import type { Kubectl } from "../control-plane/kubectl.ts";
import { NODE_ADDRESS } from "./addresses.ts";
import { createCgroup } from "./cgroups.ts";
import { startControl, type Control } from "./control.ts";
import { startDns } from "./dns.ts";
import { openEnclosure, type Enclosure } from "./enclosure.ts";
import { cgroupOf, clusterExists, directoryOf, recordCluster, removeCluster, sweep } from "./instances.ts";
import { startNode, type LocalNode } from "./node.ts";
import { ensureNodePrograms, type NodePrograms } from "./node-programs.ts";
import { ensurePauseImage } from "./pause-image.ts";
import { requireClusterMachine } from "./requirements.ts";

/** A whole Kubernetes on this machine, inside an enclosure: the level "control", and on it the level "node". */
export type Cluster = {
  readonly name: string;
  readonly directory: string;
  readonly kubeconfigPath: string;
  readonly kubectl: Kubectl;
  readonly kubectlPath: string;
  readonly enclosure: Enclosure;
  /** Undefined at the level "control". */
  readonly node: LocalNode | undefined;
  /** Ends everything at once and removes all traces: about a second. */
  stop(): Promise<void>;
};

export type ClusterSettings = {
  /** Of lower-case letters, digits and dashes; the machine has at most one cluster of a name. */
  readonly name: string;
  readonly level: "control" | "node";
  /** Whether it ends with this process, however that ends. */
  readonly endsWithUs: boolean;
  /** Ports of programs started inside that the machine shall reach on its own loopback. */
  readonly doors?: readonly number[];
  readonly progress: (line: string) => void;
};

/**
 * About ten seconds once everything is built and fetched. Errors: `cluster-requirements`, `cluster-exists`, `cluster-start`,
 * `cluster-enclosure`, and those of getting the programs.
 */
export async function startCluster(
  settings: ClusterSettings,
  signal: AbortSignal = new AbortController().signal,
): Promise<Cluster> {
  requireClusterMachine();
  const { name, progress } = settings;
  for (const swept of await sweep()) progress(`removed what a killed cluster (${swept}) had left behind`);
  if (await clusterExists(name)) {
    throw new OperationalError({
      code: "cluster-exists",
      remedy: "give-up",
      message: `there is a cluster ${name} already, in ${directoryOf(name)}`,
    });
  }
  await recordCluster(name, undefined);
  try {
    return await makeCluster(settings, signal);
  } catch (error) {
    await removeCluster(name);
    throw error;
  }
}

async function makeCluster(settings: ClusterSettings, signal: AbortSignal): Promise<Cluster> {
  const { name, progress } = settings;
  const directory = directoryOf(name);
  const programs = await ensureNodePrograms(progress, signal);
  const enclosure = await openEnclosure({
    directory,
    address: NODE_ADDRESS,
    pause: programs.catatonit,
    cgroupEntrances: await createCgroup(cgroupOf(name)),
    endsWithUs: settings.endsWithUs,
  });
  await recordCluster(name, enclosure.anchor);
  signal.throwIfAborted();
  const doors = settings.doors ?? [];
  const control = await startControl({ enclosure, directory, doors, progress }, signal);
  progress("etcd, API server, controller manager and scheduler are up");
  signal.throwIfAborted();
  const node =
    settings.level === "node"
      ? await addNode({ settings, directory, programs, enclosure, control }, signal)
      : undefined;
  return {
    name,
    directory,
    kubeconfigPath: control.kubeconfigPath,
    kubectl: control.kubectl,
    kubectlPath: control.kubectlPath,
    enclosure,
    node,
    stop: () => removeCluster(name),
  };
}

async function addNode(
  input: {
    readonly settings: ClusterSettings;
    readonly directory: string;
    readonly programs: NodePrograms;
    readonly enclosure: Enclosure;
    readonly control: Control;
  },
  signal: AbortSignal,
): Promise<LocalNode> {
  const { progress, name } = input.settings;
  const { enclosure, directory, control, programs } = input;
  const cgroup = cgroupOf(name);
  await startDns({ enclosure, directory, control, progress }, signal);
  const images = [await ensurePauseImage(programs.catatonit, signal)];
  const node = await startNode({ enclosure, directory, cgroup, control, programs, images, progress }, signal);
  progress("the node is ready");
  return node;
}
