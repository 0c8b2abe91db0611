import { join } from "node:path";
import type { Instance } from "../control-plane/instance.ts";
import { NODE_ADDRESS, SERVICE_RANGE } from "./addresses.ts";
import type { Certificates } from "./certificates.ts";

/** How the programs of a whole control plane are told to run. */

export function apiServerArgs(input: {
  readonly directory: string;
  readonly instance: Instance;
  readonly certificates: Certificates;
}): readonly string[] {
  const { directory, instance, certificates } = input;
  const serviceAccountKey = join(directory, "sa.key");
  return [
    `--etcd-servers=http://127.0.0.1:${instance.etcdPort}`,
    "--bind-address=0.0.0.0",
    `--advertise-address=${NODE_ADDRESS}`,
    `--secure-port=${instance.apiPort}`,
    `--tls-cert-file=${certificates.apiServer.certFile}`,
    `--tls-private-key-file=${certificates.apiServer.keyFile}`,
    `--client-ca-file=${certificates.caFile}`,
    `--token-auth-file=${join(directory, "tokens.csv")}`,
    "--authorization-mode=Node,RBAC",
    "--enable-admission-plugins=NodeRestriction",
    `--service-cluster-ip-range=${SERVICE_RANGE}`,
    "--service-account-issuer=https://kubernetes.default.svc",
    `--service-account-key-file=${serviceAccountKey}`,
    `--service-account-signing-key-file=${serviceAccountKey}`,
    `--kubelet-client-certificate=${certificates.kubeletClient.certFile}`,
    `--kubelet-client-key=${certificates.kubeletClient.keyFile}`,
    `--kubelet-certificate-authority=${certificates.caFile}`,
    "--kubelet-preferred-address-types=InternalIP",
    "--allow-privileged=true",
  ];
}

/** Controllers that wait for a cloud, for volumes or for other nodes. */
const NEEDLESS_CONTROLLERS = [
  "node-ipam-controller",
  "bootstrap-signer-controller",
  "token-cleaner-controller",
  "persistentvolume-attach-detach-controller",
  "persistentvolume-expander-controller",
  "selinux-warning-controller",
];

/** There is one of each, so nobody is elected; and the defaults would have them wait for their own rate limits. */
const ALONE = [
  "--leader-elect=false",
  "--kube-api-qps=300",
  "--kube-api-burst=600",
  "--bind-address=127.0.0.1",
];

export function controllerManagerArgs(input: {
  readonly directory: string;
  readonly kubeconfig: string;
  readonly certificates: Certificates;
}): readonly string[] {
  const { directory, kubeconfig, certificates } = input;
  return [
    ...ALONE,
    ...kubeconfigFlags(kubeconfig),
    `--service-account-private-key-file=${join(directory, "sa.key")}`,
    `--root-ca-file=${certificates.caFile}`,
    `--cluster-signing-cert-file=${certificates.caFile}`,
    `--cluster-signing-key-file=${certificates.caKeyFile}`,
    "--use-service-account-credentials=true",
    `--controllers=*,${NEEDLESS_CONTROLLERS.map((name) => `-${name}`).join(",")}`,
  ];
}

export function schedulerArgs(kubeconfig: string): readonly string[] {
  return [...ALONE, ...kubeconfigFlags(kubeconfig)];
}

function kubeconfigFlags(kubeconfig: string): readonly string[] {
  return ["kubeconfig", "authentication-kubeconfig", "authorization-kubeconfig"].map(
    (flag) => `--${flag}=${kubeconfig}`,
  );
}
