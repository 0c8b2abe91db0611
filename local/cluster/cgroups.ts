import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rmdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/**
 * The one thing of a cluster that namespaces do not hold: a control group under the machine's root, in which the kubelet
 * makes those of its pods, and beside them one for the cluster's own programs.
 */

const ROOT = "/sys/fs/cgroup";
const CONTROLLERS = "+cpu +cpuset +memory +pids +io";
const PROGRAMS = "programs";
const REMOVAL_LIMIT_MS = 10_000;
const POLL_MS = 20;
/**
 * A cluster stands for machines of its own. By default all of its pods together would weigh as much as any one session of
 * this machine, and be starved by a few that are busy; so all of it weighs as much as 64. Its programs, which would be on other
 * machines than the pods, go before these. Version 1 counts from 1,024, version 2 from 100.
 */
const CPU_WEIGHTS: Readonly<Record<string, string>> = { "cpu.shares": "65536", "cpu.weight": "6400" };

/** One mount for all controllers (version 2), or one for each (version 1), and then often an empty one of version 2. */
async function hierarchies(): Promise<readonly string[]> {
  if (existsSync(join(ROOT, "cgroup.controllers"))) return [ROOT];
  const mounts = (await readFile("/proc/mounts", "utf8")).split("\n").map((line) => line.split(" "));
  return mounts.flatMap(([, directory, type]) =>
    type?.startsWith("cgroup") === true && directory !== undefined ? [directory] : [],
  );
}

/** Returns the files into which a program of the cluster writes its process id, to be counted as one. */
export async function createCgroup(name: string): Promise<readonly string[]> {
  const entrances: string[] = [];
  for (const hierarchy of await hierarchies()) {
    const group = join(hierarchy, name);
    if (hierarchy === ROOT) await writeFile(join(ROOT, "cgroup.subtree_control"), CONTROLLERS);
    await mkdir(group, { recursive: true });
    if (!(await weighCpu(group))) continue;
    const programs = join(group, PROGRAMS);
    await mkdir(programs, { recursive: true });
    await weighCpu(programs);
    entrances.push(join(programs, "cgroup.procs"));
  }
  return entrances;
}

/** Whether the group is of a hierarchy that shares out the CPU. */
async function weighCpu(group: string): Promise<boolean> {
  const known = Object.entries(CPU_WEIGHTS).filter(([file]) => existsSync(join(group, file)));
  for (const [file, weight] of known) await writeFile(join(group, file), weight);
  return known.length > 0;
}

/** With all below it. Nothing may run in it any more; who has just ended is waited for, until its parent has taken note. */
export async function removeCgroup(name: string): Promise<void> {
  for (const hierarchy of await hierarchies()) await removeTree(join(hierarchy, name));
}

/** Its files are not ours to delete, and vanish with it. */
async function removeTree(directory: string): Promise<void> {
  if (!existsSync(directory)) return;
  for (const entry of await readdir(directory, { withFileTypes: true })) {
    if (entry.isDirectory()) await removeTree(join(directory, entry.name));
  }
  const deadlineMs = performance.now() + REMOVAL_LIMIT_MS;
  for (;;) {
    try {
      await rmdir(directory);
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EBUSY" || performance.now() > deadlineMs) throw error;
      await sleep(POLL_MS);
    }
  }
}
