import { join } from "node:path";
import { readFile } from "node:fs/promises";
import { startChild, type Child } from "../process/child.ts";
import type { ApiServer } from "./api-server.ts";
import { ensureBinaries } from "./binaries.ts";
import { apiServerArgs } from "./flags.ts";
import { freePort, kubeconfigText, writePrivately } from "./instance.ts";
import { awaitReady } from "./ready.ts";

/** One more kube-apiserver on the etcd of another one, as a highly available control plane has several. */
export type ApiServerReplica = {
  readonly url: string;
  /** An administrator's; the token is that of the first server. */
  readonly kubeconfigPath: string;
  readonly process: Child;
  stop(): Promise<void>;
};

/**
 * Starts it in a folder of the first server's directory. `etcdPort`: another one than etcd's own, such as that of a
 * proxy that can be cut. `watchCache: false`: it reads every watch from etcd itself, which forgets what was compacted.
 */
export async function startReplica(input: {
  readonly of: ApiServer;
  readonly name: string;
  readonly etcdPort?: number;
  readonly watchCache?: boolean;
}): Promise<ApiServerReplica> {
  const { of: first, name } = input;
  const { directory, instance } = first;
  const binaries = await ensureBinaries(["kube-apiserver"], () => undefined);
  const apiPort = await freePort();
  const url = `https://127.0.0.1:${apiPort}`;
  const certDirectory = join(directory, name);
  const child = startChild({
    name,
    command: binaries["kube-apiserver"],
    args: [
      ...apiServerArgs({
        directory,
        certDirectory,
        instance: { ...instance, apiPort, etcdPort: input.etcdPort ?? instance.etcdPort },
        url,
        auditLogFile: undefined,
      }),
      `--watch-cache=${input.watchCache ?? true}`,
    ],
    logFile: join(directory, `${name}.log`),
  });
  const killAtExit = (): void => child.signal("SIGKILL");
  process.once("exit", killAtExit);
  const stop = async (): Promise<void> => {
    await child.stop({ signal: "SIGKILL" });
    process.removeListener("exit", killAtExit);
  };
  const caFile = join(certDirectory, "apiserver.crt");
  const outcome = await awaitReady({ server: child, etcd: first.etcd, url, caFile, token: instance.token });
  if (outcome !== "ready") {
    await stop();
    throw new Error(`${name} did not start (${outcome}): see ${child.logFile}`);
  }
  const kubeconfigPath = join(directory, `${name}.kubeconfig`);
  const ca = await readFile(caFile, "utf8");
  await writePrivately(kubeconfigPath, kubeconfigText({ url, token: instance.token, ca }));
  return { url, kubeconfigPath, process: child, stop };
}
