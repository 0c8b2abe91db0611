import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ensureGoPrograms } from "../control-plane/go-programs.ts";
import type { Child } from "../process/child.ts";
import { DNS_READY_PORT, NODE_ADDRESS } from "./addresses.ts";
import { CLUSTER_PROGRAMS } from "./go-modules.ts";
import type { Control } from "./control.ts";
import type { Enclosure } from "./enclosure.ts";

/** Names of Services for the pods: CoreDNS beside them, on the node's address. */

const RIGHTS = `
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: { name: local-coredns }
rules:
  - { apiGroups: [""], resources: [services, pods, namespaces], verbs: [list, watch] }
  - { apiGroups: [discovery.k8s.io], resources: [endpointslices], verbs: [list, watch] }
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: { name: local-coredns }
roleRef: { apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: local-coredns }
subjects: [{ apiGroup: rbac.authorization.k8s.io, kind: User, name: coredns }]
`;

/**
 * Two servers, for within one the plugin that answers "no such name" to everything else comes before the one that knows the
 * names of the cluster. Without it, resolvers would ask again until their own deadline.
 */
const configuration = (kubeconfig: string): string => `
cluster.local:53 in-addr.arpa:53 ip6.arpa:53 {
	bind ${NODE_ADDRESS}
	errors
	ready 127.0.0.1:${DNS_READY_PORT}
	kubernetes cluster.local in-addr.arpa ip6.arpa {
		kubeconfig ${kubeconfig}
		pods insecure
		ttl 2
	}
	cache {
		success 2048 2
		denial 1024 1
	}
}
.:53 {
	bind ${NODE_ADDRESS}
	template ANY ANY . {
		rcode NXDOMAIN
	}
}
`;

/** Returns at once; the names are there a moment later, long before the first pod. Errors: those of `ensureGoPrograms`. */
export async function startDns(
  input: {
    readonly enclosure: Enclosure;
    readonly directory: string;
    readonly control: Control;
    readonly progress: (line: string) => void;
  },
  signal: AbortSignal,
): Promise<Child> {
  const { enclosure, directory, control, progress } = input;
  const { coredns } = await ensureGoPrograms(CLUSTER_PROGRAMS, ["coredns"], progress, signal);
  const { code, stderr } = await control.kubectl(["apply", "-f", "-"], { input: RIGHTS });
  if (code !== 0) throw new Error(`the DNS server's rights could not be applied: ${stderr}`);
  const file = join(directory, "Corefile");
  await writeFile(file, configuration(control.parts.dns));
  return enclosure.start({
    name: "coredns",
    command: coredns,
    args: ["-conf", file],
    logFile: join(directory, "log", "coredns.log"),
  });
}
