import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { promisify } from "node:util";
import { ensureNodePrograms } from "../../../local/cluster/node-programs.ts";

/** Everything of this machine that a cluster could change or leave behind, to be compared before and after. */
export type Residue = Readonly<Record<string, readonly string[]>>;

const SETTINGS = [
  "vm/overcommit_memory",
  "kernel/panic",
  "kernel/panic_on_oops",
  "kernel/keys/root_maxkeys",
  "kernel/keys/root_maxbytes",
  "net/ipv4/ip_forward",
  "net/ipv4/conf/all/forwarding",
  "net/ipv4/conf/all/route_localnet",
  "net/netfilter/nf_conntrack_max",
];

/** Folders that the programs of a node know by heart, and those of ours. */
const FOLDERS = [
  "/var/lib/kubelet",
  "/var/lib/cni",
  "/var/lib/containerd",
  "/run/containerd",
  "/var/log/containers",
  "/var/log/pods",
  "/run/netns",
  "/var/tmp/city-operator-clusters",
];

export async function readResidue(): Promise<Residue> {
  const { path, libraryPath } = await ensureNodePrograms(() => undefined, new AbortController().signal);
  const run = async (command: string, ...args: readonly string[]): Promise<string[]> => {
    const env = { ...process.env, PATH: path, LD_LIBRARY_PATH: command === "nft" ? libraryPath : "" };
    const { stdout } = await promisify(execFile)(command, [...args], { env });
    return stdout.split("\n").filter((line) => line !== "");
  };
  return {
    settings: await Promise.all(
      SETTINGS.map(
        async (name) => `${name} ${await readFile(`/proc/sys/${name}`, "utf8").catch(() => "absent")}`,
      ),
    ),
    mounts: (await readFile("/proc/self/mountinfo", "utf8"))
      .split("\n")
      .map((line) => line.split(" ")[4] ?? ""),
    networks: await run("ip", "netns", "list"),
    links: (await run("ip", "-brief", "link")).map((line) => line.split(" ")[0] ?? ""),
    routes: await run("ip", "route", "show", "table", "all"),
    rules: await run("nft", "list", "ruleset"),
    controlGroups: await run("find", "/sys/fs/cgroup", "-maxdepth", "2", "-name", "city-operator-*"),
    folders: await listed(FOLDERS),
    processes: await processesNaming([
      "city-operator-clusters",
      "containerd",
      "kubelet",
      "kube-proxy",
      "catatonit",
    ]),
  };
}

async function listed(folders: readonly string[]): Promise<string[]> {
  const present = folders.filter((folder) => existsSync(folder));
  const contents = await Promise.all(
    present.map(async (folder) => `${folder}: ${(await readdir(folder)).join(" ")}`),
  );
  // An empty folder that the clusters share is none.
  return contents.filter((line) => line !== "/var/tmp/city-operator-clusters: ");
}

async function processesNaming(words: readonly string[]): Promise<string[]> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name) && name !== String(process.pid));
  const lines = await Promise.all(
    pids.map(async (pid) =>
      (await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "")).replaceAll("\0", " "),
    ),
  );
  return lines.filter((line) => words.some((word) => line.includes(word))).toSorted();
}
