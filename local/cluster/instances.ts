import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { identify, isAlive, type ProcessIdentity } from "../process/identity.ts";
import { removeCgroup } from "./cgroups.ts";
import { endEnclosure } from "./enclosure.ts";

/**
 * The clusters of this machine, each with a folder that bears its name. What a folder says is enough to take its cluster
 * down, whoever made it and whatever became of them.
 */

const CLUSTERS = "/var/tmp/city-operator-clusters";

type Record = {
  /** Who makes it, for as long as there is no anchor. */
  readonly maker: ProcessIdentity;
  readonly anchor: ProcessIdentity | undefined;
};

export function directoryOf(name: string): string {
  return join(CLUSTERS, name);
}

/** The control group below which its pods run. */
export function cgroupOf(name: string): string {
  return `city-operator-${name}`;
}

export async function recordCluster(name: string, anchor: ProcessIdentity | undefined): Promise<void> {
  const directory = directoryOf(name);
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const maker = identify(process.pid);
  if (maker === undefined) throw new Error("this process cannot be found in /proc");
  const record: Record = { maker, anchor };
  await writeFile(recordFile(name), JSON.stringify(record), { mode: 0o600 });
}

/** Whether it runs, or is being made. */
export async function clusterExists(name: string): Promise<boolean> {
  const record = await readRecord(name);
  return record !== undefined && isAlive(record.anchor ?? record.maker);
}

/** The anchor of a cluster that runs. */
export async function anchorOf(name: string): Promise<ProcessIdentity | undefined> {
  const anchor = (await readRecord(name))?.anchor;
  return anchor !== undefined && isAlive(anchor) ? anchor : undefined;
}

/** Takes a cluster down, in whatever state it is: afterwards nothing on this machine tells that it was there. */
export async function removeCluster(name: string): Promise<void> {
  const anchor = (await readRecord(name))?.anchor;
  if (anchor !== undefined) await endEnclosure(anchor);
  await removeCgroup(cgroupOf(name));
  await rm(directoryOf(name), { recursive: true, force: true });
}

/** Removes what clusters have left behind that ended without being taken down. Returns their names. */
export async function sweep(): Promise<readonly string[]> {
  const names = existsSync(CLUSTERS) ? await readdir(CLUSTERS) : [];
  const swept: string[] = [];
  for (const name of names) {
    if (await clusterExists(name)) continue;
    await removeCluster(name);
    swept.push(name);
  }
  return swept;
}

async function readRecord(name: string): Promise<Record | undefined> {
  try {
    return JSON.parse(await readFile(recordFile(name), "utf8")) as Record;
  } catch {
    // There is none, or its maker was killed while writing it.
    return undefined;
  }
}

function recordFile(name: string): string {
  return join(directoryOf(name), "cluster.json");
}
