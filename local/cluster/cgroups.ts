import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rmdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

/**
 * The one thing of a cluster that namespaces do not hold: a control group under the machine's root, in which the kubelet
 * makes those of its pods.
 */

const ROOT = "/sys/fs/cgroup";
const CONTROLLERS = "+cpu +cpuset +memory +pids +io";

/** One mount for all controllers (version 2), or one for each (version 1), and then often an empty one of version 2. */
async function hierarchies(): Promise<readonly string[]> {
  if (existsSync(join(ROOT, "cgroup.controllers"))) return [ROOT];
  const mounts = (await readFile("/proc/mounts", "utf8")).split("\n").map((line) => line.split(" "));
  return mounts.flatMap(([, directory, type]) =>
    type?.startsWith("cgroup") === true && directory !== undefined ? [directory] : [],
  );
}

export async function createCgroup(name: string): Promise<void> {
  for (const hierarchy of await hierarchies()) {
    if (hierarchy === ROOT) await writeFile(join(ROOT, "cgroup.subtree_control"), CONTROLLERS);
    await mkdir(join(hierarchy, name), { recursive: true });
  }
}

/** With all below it. Nothing may run in it any more. */
export async function removeCgroup(name: string): Promise<void> {
  for (const hierarchy of await hierarchies()) await removeTree(join(hierarchy, name));
}

/** Its files are not ours to delete, and vanish with it. */
async function removeTree(directory: string): Promise<void> {
  if (!existsSync(directory)) return;
  for (const entry of await readdir(directory, { withFileTypes: true })) {
    if (entry.isDirectory()) await removeTree(join(directory, entry.name));
  }
  await rmdir(directory);
}
