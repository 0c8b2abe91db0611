import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ensureBinaries } from "../control-plane/binaries.ts";
import type { Child } from "../process/child.ts";
import type { ProcessIdentity } from "../process/identity.ts";
import { NODE_ADDRESS, NODE_NAME } from "./addresses.ts";
import { awaitTrue } from "./await-true.ts";
import type { Control } from "./control.ts";
import { runInside, type Enclosure } from "./enclosure.ts";
import {
  CNI_CONFIGURATION,
  containerdConfiguration,
  CONTAINERD_SOCKET,
  kubeletConfiguration,
  proxyConfiguration,
} from "./node-configuration.ts";
import type { NodePrograms } from "./node-programs.ts";

/** The level "node": containerd, kubelet and kube-proxy. Pods run, and reach each other and the Services. */
export type LocalNode = {
  /** Imports images from a tar of OCI layout or docker-archive, under the names in it. */
  loadImages(file: string): Promise<void>;
  /** SIGKILL. What it has started goes on. */
  killKubelet(): Promise<void>;
  startKubelet(): void;
  /** SIGKILL to the first process of a running container; `containerId` as a Pod's status gives it. */
  killContainer(containerId: string): Promise<void>;
  readonly children: readonly Child[];
};

const CONTAINERD_LIMIT_MS = 20_000;
const READY_LIMIT_MS = 60_000;
const IMPORT_LIMIT_MS = 120_000;

/** Errors: those of `ensureBinaries`, `cluster-start`. */
export async function startNode(
  input: {
    readonly enclosure: Enclosure;
    readonly directory: string;
    readonly cgroup: string;
    readonly control: Control;
    readonly programs: NodePrograms;
    /** Tars of the images that the node needs to be ready, such as that of the pause container. */
    readonly images: readonly string[];
    readonly progress: (line: string) => void;
  },
  signal: AbortSignal,
): Promise<LocalNode> {
  const { enclosure, directory, control, programs } = input;
  const binaries = await ensureBinaries(["kubelet", "kube-proxy"], input.progress, signal);
  const files = await writeConfigurations(input);
  const start = (name: string, command: string, args: readonly string[]): Child =>
    enclosure.start({
      name,
      command,
      args,
      env: { PATH: programs.path, LD_LIBRARY_PATH: programs.libraryPath },
      logFile: join(directory, "log", `${name}.log`),
    });
  const ctr = (args: readonly string[], limitMs: number): Promise<string> =>
    runCtr({ anchor: enclosure.anchor, programs, args, limitMs });

  const containerd = start("containerd", programs.containerd, ["--config", files.containerd]);
  await awaitTrue({ what: "containerd", limitMs: CONTAINERD_LIMIT_MS, children: [containerd] }, async () =>
    ctr(["version"], CONTAINERD_LIMIT_MS).then(
      () => true,
      () => false,
    ),
  );
  const loadImages = (file: string): Promise<void> => importImages(enclosure.anchor, programs, file);
  for (const file of input.images) await loadImages(file);

  const startKubelet = (): Child =>
    start("kubelet", binaries.kubelet, [
      `--config=${files.kubelet}`,
      `--kubeconfig=${control.parts.kubelet}`,
      `--hostname-override=${NODE_NAME}`,
      `--node-ip=${NODE_ADDRESS}`,
      "--node-labels=topology.kubernetes.io/zone=local",
    ]);
  let kubelet = startKubelet();
  const proxy = start("kube-proxy", binaries["kube-proxy"], [`--config=${files.proxy}`]);
  await awaitTrue(
    { what: "node", limitMs: READY_LIMIT_MS, children: [containerd, kubelet, proxy] },
    async () => {
      const path = "{.status.conditions[?(@.type=='Ready')].status}";
      const { stdout } = await control.kubectl(["get", "node", NODE_NAME, `--output=jsonpath=${path}`]);
      return stdout === "True";
    },
  );
  return {
    loadImages,
    async killKubelet() {
      await kubelet.stop({ signal: "SIGKILL" });
    },
    startKubelet() {
      kubelet = startKubelet();
    },
    async killContainer(containerId) {
      const id = containerId.replace("containerd://", "");
      await ctr(["tasks", "kill", "--signal", "SIGKILL", id], CONTAINERD_LIMIT_MS);
    },
    get children() {
      return [containerd, kubelet, proxy];
    },
  };
}

/** What `loadImages` does, for whoever has not started the node. */
export async function importImages(
  anchor: ProcessIdentity,
  programs: NodePrograms,
  file: string,
): Promise<void> {
  await runCtr({ anchor, programs, args: ["images", "import", file], limitMs: IMPORT_LIMIT_MS });
}

async function runCtr(input: {
  readonly anchor: ProcessIdentity;
  readonly programs: NodePrograms;
  readonly args: readonly string[];
  readonly limitMs: number;
}): Promise<string> {
  const client = [input.programs.ctr, "--address", CONTAINERD_SOCKET, "--namespace", "k8s.io"];
  return await runInside(input.anchor, [...client, ...input.args], input.limitMs);
}

async function writeConfigurations(
  input: Pick<Parameters<typeof startNode>[0], "directory" | "cgroup" | "control" | "programs">,
): Promise<{ readonly containerd: string; readonly kubelet: string; readonly proxy: string }> {
  const { directory, control } = input;
  const folder = join(directory, "configuration");
  const cniConfiguration = join(folder, "cni");
  await mkdir(cniConfiguration, { recursive: true });
  const write = async (name: string, content: object | string): Promise<string> => {
    const file = join(folder, name);
    await writeFile(file, typeof content === "string" ? content : JSON.stringify(content, undefined, 2));
    return file;
  };
  await write("cni/10-bridge.conflist", CNI_CONFIGURATION);
  const resolvConf = await write("resolv.conf", `nameserver ${NODE_ADDRESS}\n`);
  return {
    containerd: await write(
      "containerd.toml",
      containerdConfiguration({ cniPrograms: input.programs.cniDirectory, cniConfiguration }),
    ),
    // The kubelet and the proxy read JSON, for it is YAML.
    kubelet: await write(
      "kubelet.json",
      kubeletConfiguration({ certificates: control.certificates, cgroup: input.cgroup, resolvConf }),
    ),
    proxy: await write("kube-proxy.json", proxyConfiguration(control.parts.proxy)),
  };
}
