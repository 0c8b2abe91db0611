import { freePort } from "../control-plane/instance.ts";
import { startCluster, type Cluster } from "./cluster.ts";
import { startClusterDatabase, type ClusterDatabase } from "./database.ts";
import { anchorOf, removeCluster, sweep } from "./instances.ts";
import { importImages } from "./node.ts";
import { ensureNodePrograms } from "./node-programs.ts";

/** The one cluster of `make cluster`, which stays until `make cluster-down`. */

const NAME = "make";

export async function startDeveloperCluster(
  progress: (line: string) => void,
  signal: AbortSignal,
): Promise<{ readonly cluster: Cluster; readonly database: ClusterDatabase }> {
  const port = await freePort();
  const settings = { name: NAME, level: "node", endsWithUs: false, doors: [port], progress } as const;
  const cluster = await startCluster(settings, signal);
  try {
    const database = await startClusterDatabase({ cluster, port, progress }, signal);
    return { cluster, database };
  } catch (error) {
    await cluster.stop();
    throw error;
  }
}

/** Whether there was anything to remove. */
export async function removeDeveloperCluster(): Promise<boolean> {
  const anchor = await anchorOf(NAME);
  await removeCluster(NAME);
  const swept = await sweep();
  return anchor !== undefined || swept.length > 0;
}

/** Imports an image into the cluster of `make cluster`; false: it does not run. */
export async function importIntoRunning(file: string): Promise<boolean> {
  const anchor = await anchorOf(NAME);
  if (anchor === undefined) return false;
  const programs = await ensureNodePrograms(() => undefined, new AbortController().signal);
  await importImages(anchor, programs, file);
  return true;
}
