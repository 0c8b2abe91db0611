import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { ETCD_FLAGS } from "./go-build.ts";
import { ensureGoPrograms, type GoModule } from "./go-programs.ts";
import type { Instance } from "./instance.ts";

/** Backup and restore of a local etcd with its own tools, which only those who rehearse a restore need. */

type EtcdTool = "etcdctl" | "etcdutl";

const MODULE: GoModule<EtcdTool> = {
  directory: join(import.meta.dirname, "etcd-tools"),
  cacheName: "etcd-tools",
  packages: { etcdctl: "go.etcd.io/etcd/etcdctl/v3", etcdutl: "go.etcd.io/etcd/etcdutl/v3" },
  flags: ETCD_FLAGS,
  duration: "about a minute",
};
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

/** Builds the tools if this machine has not done so yet (about a minute). Errors: those of `ensureGoPrograms`. */
export async function ensureEtcdTools(
  progress: (line: string) => void,
  signal: AbortSignal = new AbortController().signal,
): Promise<EtcdTools> {
  return commandsOf(await ensureGoPrograms(MODULE, ["etcdctl", "etcdutl"], progress, signal));
}

function commandsOf(programs: Readonly<Record<EtcdTool, string>>): EtcdTools {
  const run = async (tool: EtcdTool, args: readonly string[]): Promise<string> => {
    const { stdout } = await promisify(execFile)(programs[tool], [...args], {
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
