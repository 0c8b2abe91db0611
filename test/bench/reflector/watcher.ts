import { monitorEventLoopDelay } from "node:perf_hooks";
import { CoordinationV1Api, KubeConfig, makeInformer, type V1Lease } from "@kubernetes/client-node";
import { systemClock } from "../../../runtime/clock.ts";
import { createKubeClient } from "../../../runtime/kube/client.ts";
import { createReflector } from "../../../runtime/kube/reflector.ts";
import { LEASES } from "../../../runtime/kube/resources.ts";
import { silentLog } from "../../../runtime/log.ts";

/** A process that keeps a copy of all Leases by one of two means, and tells its parent what it sees and what that costs. */

/** What the parent asks is only "report"; this is the answer, and it is also sent once when the first list is complete. */
export type WatcherReport = {
  /** Copies that the process has. */
  readonly objects: number;
  /** Leases whose holder is the one that the parent wrote last, by that name. */
  readonly changed: Readonly<Record<string, number>>;
  readonly cpuSeconds: number;
  readonly residentBytes: number;
  readonly loopDelayMsMax: number;
};

const kubeconfigPath = process.env["KUBECONFIG_PATH"] ?? "";
const loopDelay = monitorEventLoopDelay({ resolution: 5 });

type Copies = () => readonly { readonly spec?: { readonly holderIdentity?: string } | undefined }[];

function startReflector(onListed: () => void): Copies {
  const client = createKubeClient({ kubeconfig: { kind: "file", path: kubeconfigPath } });
  const reflector = createReflector<{
    readonly metadata: { readonly name: string };
    readonly spec?: { readonly holderIdentity?: string };
  }>({
    client,
    resource: LEASES,
    namespace: "default",
    clock: systemClock,
    random: Math.random,
    log: silentLog,
    onChange: () => undefined,
    onSynced: onListed,
  });
  void reflector.run(new AbortController().signal);
  return () => reflector.list();
}

function startInformer(onListed: () => void): Copies {
  const config = new KubeConfig();
  config.loadFromFile(kubeconfigPath);
  const api = config.makeApiClient(CoordinationV1Api);
  const informer = makeInformer<V1Lease>(
    config,
    "/apis/coordination.k8s.io/v1/namespaces/default/leases",
    async () => api.listNamespacedLease({ namespace: "default" }),
  );
  // Whoever does not listen would be ended by the first one; what to do about it is not the informer's business.
  informer.on("error", () => undefined);
  void informer.start().then(onListed);
  return () => informer.list();
}

function report(copies: Copies): WatcherReport {
  const objects = copies();
  const changed: Record<string, number> = {};
  for (const { spec } of objects) {
    const holder = spec?.holderIdentity ?? "";
    changed[holder] = (changed[holder] ?? 0) + 1;
  }
  const { user, system } = process.cpuUsage();
  const answer = {
    objects: objects.length,
    changed,
    cpuSeconds: (user + system) / 1e6,
    residentBytes: process.memoryUsage.rss(),
    loopDelayMsMax: loopDelay.max / 1e6,
  };
  loopDelay.reset();
  return answer;
}

loopDelay.enable();
const start = process.env["MEANS"] === "informer" ? startInformer : startReflector;
const copies = start(() => setImmediate(() => process.send?.(report(copies))));
process.on("message", () => process.send?.(report(copies)));
process.on("disconnect", () => {
  process.exit(0);
});
