import { setTimeout as sleep } from "node:timers/promises";
import type { Installation } from "./installation.ts";

/** The worker Pods of an installation. */

const WORKERS = "dispatch.city/component=worker";
const ROLLOUT_LIMIT_MS = 180_000;

/** Such as "deployment.apps/city-operator-worker-default"; the installation has one pool. */
export async function workerDeployment(product: Installation): Promise<string> {
  const names = await product.kubectl(["get", "deployment", "--output=name"]);
  const name = names.split("\n").find((candidate) => candidate.includes("worker"));
  if (name === undefined) throw new Error(`no worker Deployment among ${names}`);
  return name;
}

/** Waits until every Deployment is as it should be, and no Pod of before is left. */
export async function rolledOut(product: Installation): Promise<void> {
  const names = (await product.kubectl(["get", "deployment", "--output=name"])).trim().split("\n");
  for (const name of names) await product.kubectl(["rollout", "status", name, "--timeout=120s"]);
  const wanted = (await product.kubectl(["get", "deployment", "--output=jsonpath={.items[*].spec.replicas}"]))
    .split(" ")
    .reduce((sum, replicas) => sum + Number(replicas), 0);
  const deadlineMs = performance.now() + ROLLOUT_LIMIT_MS;
  for (;;) {
    const pods = await podsOf(product);
    if (pods.length === wanted) return;
    if (performance.now() > deadlineMs) throw new Error(`${pods.length} Pods are left instead of ${wanted}`);
    await sleep(1_000);
  }
}

/** Of operators and workers. */
export async function podsOf(product: Installation): Promise<readonly string[]> {
  return await podNames(product, "app.kubernetes.io/instance");
}

export async function workerPods(product: Installation): Promise<readonly string[]> {
  return await podNames(product, WORKERS);
}

/** Asks for the eviction of one Pod, as the drain of its node does; the disruption budget may refuse it for now. */
export async function evict(product: Installation, pod: string): Promise<"evicted" | "refused"> {
  const eviction = {
    apiVersion: "policy/v1",
    kind: "Eviction",
    metadata: { name: pod, namespace: product.namespace },
  };
  const path = `/api/v1/namespaces/${product.namespace}/pods/${pod}/eviction`;
  try {
    await product.kubectl(["create", `--raw=${path}`, "--filename=-"], JSON.stringify(eviction));
    return "evicted";
  } catch (error) {
    if (String(error).includes("disruption budget")) return "refused";
    throw error;
  }
}

async function podNames(product: Installation, selector: string): Promise<readonly string[]> {
  const names = await product.kubectl([
    "get",
    "pods",
    `--selector=${selector}`,
    "--output=jsonpath={.items[*].metadata.name}",
  ]);
  return names.split(" ").filter((name) => name !== "");
}
