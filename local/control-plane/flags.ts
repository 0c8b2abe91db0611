import { join } from "node:path";
import type { Instance } from "./instance.ts";

/** How the two programs are told to run: on loopback, for themselves, and quickly ready. */

export function etcdArgs(directory: string, { etcdPort, etcdPeerPort }: Instance): readonly string[] {
  const client = `http://127.0.0.1:${etcdPort}`;
  const peer = `http://127.0.0.1:${etcdPeerPort}`;
  return [
    "--name=default",
    `--data-dir=${join(directory, "etcd")}`,
    // Nothing here has to survive a power cut.
    "--unsafe-no-fsync",
    `--listen-client-urls=${client}`,
    `--advertise-client-urls=${client}`,
    `--listen-peer-urls=${peer}`,
    `--initial-advertise-peer-urls=${peer}`,
    `--initial-cluster=default=${peer}`,
    // A member without peers elects itself; the defaults would make it wait a second to do so.
    "--heartbeat-interval=10",
    "--election-timeout=100",
    "--log-level=warn",
  ];
}

export function apiServerArgs(input: {
  readonly directory: string;
  /** Where it keeps its own certificate; each server has one. */
  readonly certDirectory: string;
  readonly instance: Instance;
  readonly url: string;
  readonly auditLogFile: string | undefined;
}): readonly string[] {
  const { directory, certDirectory, instance, url, auditLogFile } = input;
  const serviceAccountKey = join(directory, "sa.key");
  return [
    `--etcd-servers=http://127.0.0.1:${instance.etcdPort}`,
    `--cert-dir=${certDirectory}`,
    "--bind-address=127.0.0.1",
    "--advertise-address=127.0.0.1",
    `--secure-port=${instance.apiPort}`,
    "--service-cluster-ip-range=10.0.0.0/24",
    "--authorization-mode=RBAC",
    `--token-auth-file=${join(directory, "tokens.csv")}`,
    "--allow-privileged=true",
    `--service-account-issuer=${url}/`,
    `--service-account-key-file=${serviceAccountKey}`,
    `--service-account-signing-key-file=${serviceAccountKey}`,
    // No controller manager makes service accounts here, and Pods are welcome without one.
    "--disable-admission-plugins=ServiceAccount",
    "--endpoint-reconciler-type=none",
    ...(auditLogFile === undefined
      ? []
      : [`--audit-policy-file=${join(directory, "audit-policy.yaml")}`, `--audit-log-path=${auditLogFile}`]),
  ];
}

export const AUDIT_POLICY = `apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
  - level: Metadata
`;
