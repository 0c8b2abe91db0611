import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { cacheRoot } from "./binaries.ts";
import { withBuildLock } from "./build-lock.ts";
import { ETCD_FLAGS } from "./go-build.ts";
import { goBuild, readGoVersion } from "./go.ts";
import type { Instance } from "./instance.ts";

/** Backup and restore of a local etcd with its own tools, which only those who rehearse a restore need. */

const MODULE = join(import.meta.dirname, "etcd-tools");
const TOOLS = ["etcdctl", "etcdutl"] as const;
const COMMAND_LIMIT_MS = 60_000;

export type EtcdTools = {
  /** A consistent copy of all data into one file, as `etcdctl snapshot save` takes it from a running etcd. */
  save(instance: Pick<Instance, "etcdPort">, file: string): Promise<void>;
  /**
   * Makes a data directory from the file; the directory must not exist. `bumpRevision`: revisions go on that much higher, and
   * all earlier ones count as compacted, so that no client takes up where it was.
   */
  restore(
    instance: Pick<Instance, "etcdPeerPort">,
    input: { readonly file: string; readonly directory: string; readonly bumpRevision?: number },
  ): Promise<void>;
  /** Forgets all revisions up to the present one: whoever watches from an earlier one is told so. */
  compact(instance: Pick<Instance, "etcdPort">): Promise<void>;
};

/** Builds the tools if this machine has not done so yet (about a minute). Errors: those of `goBuild`. */
export async function ensureEtcdTools(
  progress: (line: string) => void,
  signal: AbortSignal = new AbortController().signal,
): Promise<EtcdTools> {
  const [goVersion, ...texts] = await Promise.all([
    readGoVersion(MODULE, signal),
    readFile(join(MODULE, "go.mod"), "utf8"),
    readFile(join(MODULE, "go.sum"), "utf8"),
  ]);
  const key = createHash("sha256")
    .update([...texts, goVersion, ...ETCD_FLAGS].join("\0"))
    .digest("hex")
    .slice(0, 16);
  const directory = join(cacheRoot(), "etcd-tools", key);
  if (TOOLS.some((tool) => !existsSync(join(directory, tool)))) await build(directory, progress, signal);
  return commandsOf(directory);
}

async function build(
  directory: string,
  progress: (line: string) => void,
  signal: AbortSignal,
): Promise<void> {
  await mkdir(directory, { recursive: true });
  await withBuildLock({ file: join(directory, "build.lock"), progress }, signal, async () => {
    if (TOOLS.every((tool) => existsSync(join(directory, tool)))) return;
    progress(
      `building ${TOOLS.join(" and ")} from Go modules: about a minute, once; then cached in ${directory}`,
    );
    const temporary = await mkdtemp(join(directory, "building-"));
    try {
      const packages = TOOLS.map((tool) => `go.etcd.io/etcd/${tool}/v3`);
      await goBuild(
        { module: MODULE, args: ["-o", `${temporary}/`, ...ETCD_FLAGS, ...packages], progress },
        signal,
      );
      for (const tool of TOOLS) await rename(join(temporary, tool), join(directory, tool));
    } finally {
      await rm(temporary, { recursive: true, force: true });
    }
  });
}

function commandsOf(directory: string): EtcdTools {
  const run = async (tool: (typeof TOOLS)[number], args: readonly string[]): Promise<string> => {
    const { stdout } = await promisify(execFile)(join(directory, tool), [...args], {
      timeout: COMMAND_LIMIT_MS,
    });
    return stdout;
  };
  const endpoint = (port: number): string => `--endpoints=http://127.0.0.1:${port}`;
  return {
    async save({ etcdPort }, file) {
      await run("etcdctl", [endpoint(etcdPort), "snapshot", "save", file]);
    },
    async restore({ etcdPeerPort }, { file, directory: target, bumpRevision }) {
      const peer = `http://127.0.0.1:${etcdPeerPort}`;
      await run("etcdutl", [
        "snapshot",
        "restore",
        file,
        `--data-dir=${target}`,
        "--name=default",
        `--initial-cluster=default=${peer}`,
        `--initial-advertise-peer-urls=${peer}`,
        ...(bumpRevision === undefined ? [] : [`--bump-revision=${bumpRevision}`, "--mark-compacted"]),
      ]);
    },
    async compact({ etcdPort }) {
      const status = JSON.parse(
        await run("etcdctl", [endpoint(etcdPort), "endpoint", "status", "-w", "json"]),
      ) as {
        Status: { header: { revision: number } };
      }[];
      const revision = status[0]?.Status.header.revision;
      await run("etcdctl", [endpoint(etcdPort), "compact", String(revision)]);
    },
  };
}
