import { KUBELET_PORT, NODE_ADDRESS, NODE_NAME, POD_RANGE } from "./addresses.ts";
import type { Certificates } from "./certificates.ts";

/**
 * What the programs of the node are told. Folders that are not named are those they know by heart, which are the cluster's
 * own inside its enclosure.
 */

export const CONTAINERD_SOCKET = "/run/containerd/containerd.sock";
export const PAUSE_IMAGE = "localhost/pause:1";

/** For containerd 1.6 and 1.7. */
export function containerdConfiguration(input: {
  readonly cniPrograms: string;
  readonly cniConfiguration: string;
}): string {
  return `
version = 2
oom_score = 0
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "${PAUSE_IMAGE}"
  # Not every root may lower the score of a process, and without this the first pod fails.
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "${input.cniPrograms}"
    conf_dir = "${input.cniConfiguration}"
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
      SystemdCgroup = false
`;
}

/** Pods and the node share a bridge; nothing is masqueraded, as nothing leads out. */
export const CNI_CONFIGURATION = {
  cniVersion: "0.4.0",
  name: "local",
  plugins: [
    {
      type: "bridge",
      bridge: "pods",
      isGateway: true,
      ipMasq: false,
      hairpinMode: true,
      ipam: { type: "host-local", ranges: [[{ subnet: POD_RANGE }]], routes: [{ dst: "0.0.0.0/0" }] },
    },
  ],
};

export function kubeletConfiguration(input: {
  readonly certificates: Certificates;
  readonly cgroup: string;
  readonly resolvConf: string;
}): object {
  const { certificates } = input;
  return {
    apiVersion: "kubelet.config.k8s.io/v1beta1",
    kind: "KubeletConfiguration",
    containerRuntimeEndpoint: `unix://${CONTAINERD_SOCKET}`,
    address: NODE_ADDRESS,
    port: KUBELET_PORT,
    readOnlyPort: 0,
    healthzBindAddress: "127.0.0.1",
    tlsCertFile: certificates.kubelet.certFile,
    tlsPrivateKeyFile: certificates.kubelet.keyFile,
    authentication: {
      anonymous: { enabled: false },
      webhook: { enabled: true },
      x509: { clientCAFile: certificates.caFile },
    },
    authorization: { mode: "Webhook" },
    clusterDNS: [NODE_ADDRESS],
    clusterDomain: "cluster.local",
    resolvConf: input.resolvConf,
    // Machines with version 1 of control groups are served as well.
    failCgroupV1: false,
    cgroupDriver: "cgroupfs",
    cgroupRoot: `/${input.cgroup}`,
    enforceNodeAllocatable: ["pods"],
    failSwapOn: false,
    makeIPTablesUtilChains: false,
    // The disk and the memory are those of somebody's machine, and how full they are is not the cluster's business.
    imageGCHighThresholdPercent: 100,
    imageGCLowThresholdPercent: 99,
    evictionHard: {
      "memory.available": "0%",
      "nodefs.available": "0%",
      "nodefs.inodesFree": "0%",
      "imagefs.available": "0%",
      "imagefs.inodesFree": "0%",
    },
    // Whoever tries things out does not wait five minutes for a container that failed a few times.
    crashLoopBackOff: { maxContainerRestartPeriod: "5s" },
  };
}

export function proxyConfiguration(kubeconfig: string): object {
  return {
    apiVersion: "kubeproxy.config.k8s.io/v1alpha1",
    kind: "KubeProxyConfiguration",
    bindAddress: "127.0.0.1",
    healthzBindAddress: "127.0.0.1:10256",
    metricsBindAddress: "127.0.0.1:10249",
    clientConnection: { kubeconfig },
    mode: "nftables",
    clusterCIDR: POD_RANGE,
    hostnameOverride: NODE_NAME,
    // The default of a second leaves new pods unreachable through their Service for that long.
    nftables: { minSyncPeriod: "100ms" },
    // The limits of connection tracking are the machine's.
    conntrack: { maxPerCore: 0, min: 0, tcpEstablishedTimeout: "0s", tcpCloseWaitTimeout: "0s" },
  };
}
