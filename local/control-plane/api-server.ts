import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { OperationalError } from "../../runtime/errors.ts";
import { startChild, type Child } from "../process/child.ts";
import { ensureBinaries } from "./binaries.ts";
import { apiServerArgs, AUDIT_POLICY, etcdArgs } from "./flags.ts";
import {
  kubeconfigText,
  prepareInstance,
  writePrivately,
  type Instance,
  type UserRequest,
} from "./instance.ts";
import { createKubectl, type Kubectl } from "./kubectl.ts";
import { awaitReady, READY_LIMIT_MS, type StartOutcome } from "./ready.ts";

/** A real Kubernetes API server with its etcd on this machine's loopback: no nodes, no controllers, nothing shared. */
export type ApiServer = {
  readonly url: string;
  /** An administrator's kubeconfig with the CA and the token inside. */
  readonly kubeconfigPath: string;
  /** The administrator's bearer token. */
  readonly token: string;
  readonly caFile: string;
  /** The users asked for, by name, each with a token and a kubeconfig of its own. */
  readonly users: Readonly<Record<string, { readonly token: string; readonly kubeconfigPath: string }>>;
  /** One line of JSON per finished request, when `auditLog` was asked for. */
  readonly auditLogFile: string | undefined;
  readonly kubectl: Kubectl;
  readonly kubectlPath: string;
  /** The running process: another one after each restart. */
  readonly apiServer: Child;
  readonly etcd: Child;
  /** Its directory, and the ports and keys in it: for whoever looks after etcd's data, or starts a replica. */
  readonly directory: string;
  readonly instance: Instance;
  /** Kills the API server without warning; etcd stays. */
  killApiServer(): Promise<void>;
  /** Kills the API server if it runs and starts it again on the same port, with the same keys and tokens. */
  restartApiServer(): Promise<void>;
  /**
   * Stops both, lets `work` see to etcd's data, and starts both again on the same ports: copying the data and putting it
   * back later is a restore from backup.
   */
  whileStopped(work: (etcdDirectory: string) => Promise<void>): Promise<void>;
  /** Ends both processes. The directory stays, and `startApiServer` on it goes on where this one ended. */
  stop(): Promise<void>;
};

const START_ATTEMPTS_MAX = 3;
const LOG_TAIL_CHARACTERS = 2_000;

/**
 * Starts etcd and kube-apiserver in `directory` (private to them; created if absent).
 * Errors: those of `ensureBinaries`, and `api-server-start` with the end of the log of what did not start.
 */
export async function startApiServer(input: {
  readonly directory: string;
  readonly progress: (line: string) => void;
  readonly users?: readonly UserRequest[];
  readonly auditLog?: boolean;
}): Promise<ApiServer> {
  const { directory, progress } = input;
  const binaries = await ensureBinaries(["etcd", "kube-apiserver", "kubectl"], progress);
  const instance = await prepareInstance(directory, input.users ?? []);
  const url = `https://127.0.0.1:${instance.apiPort}`;
  const caFile = join(directory, "certs", "apiserver.crt");
  const auditLogFile = input.auditLog === true ? join(directory, "audit.log") : undefined;
  if (auditLogFile !== undefined) await writePrivately(join(directory, "audit-policy.yaml"), AUDIT_POLICY);

  const processes = new Processes({
    startEtcd: () =>
      startChild({
        name: "etcd",
        command: binaries.etcd,
        args: etcdArgs(directory, instance),
        logFile: join(directory, "etcd.log"),
      }),
    startServer: () =>
      startChild({
        name: "kube-apiserver",
        command: binaries["kube-apiserver"],
        args: apiServerArgs({
          directory,
          certDirectory: join(directory, "certs"),
          instance,
          url,
          auditLogFile,
        }),
        logFile: join(directory, "kube-apiserver.log"),
      }),
    ready: { url, caFile, token: instance.token },
  });
  await processes.startUntilReady();
  const { kubeconfigPath, users } = await writeKubeconfigs({ directory, url, caFile, instance });
  return {
    url,
    kubeconfigPath,
    token: instance.token,
    caFile,
    users,
    auditLogFile,
    kubectl: createKubectl({ path: binaries.kubectl, kubeconfigPath, cacheDirectory: directory }),
    kubectlPath: binaries.kubectl,
    directory,
    instance,
    get etcd() {
      return processes.etcd;
    },
    get apiServer() {
      return processes.server;
    },
    async killApiServer() {
      await processes.killServer();
    },
    async restartApiServer() {
      await processes.killServer();
      await processes.startUntilReady();
    },
    async whileStopped(work) {
      await processes.stop();
      await work(join(directory, "etcd"));
      processes.start();
      await processes.startUntilReady();
    },
    async stop() {
      await processes.stop();
    },
  };
}

type ProcessesInput = {
  readonly startEtcd: () => Child;
  readonly startServer: () => Child;
  readonly ready: { readonly url: string; readonly caFile: string; readonly token: string };
};

class Processes {
  etcd: Child;
  server: Child;
  readonly #input: ProcessesInput;
  readonly #killBoth = (): void => {
    this.server.signal("SIGKILL");
    this.etcd.signal("SIGKILL");
  };

  /** Starts both at once: waiting for etcd first gains nothing. */
  constructor(input: ProcessesInput) {
    this.#input = input;
    this.etcd = input.startEtcd();
    this.server = input.startServer();
    process.once("exit", this.#killBoth);
  }

  /** After `stop`. */
  start(): void {
    this.etcd = this.#input.startEtcd();
    this.server = this.#input.startServer();
    process.once("exit", this.#killBoth);
  }

  async startUntilReady(): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      if (this.server.hasExited()) this.server = this.#input.startServer();
      const outcome = await awaitReady({ server: this.server, etcd: this.etcd, ...this.#input.ready });
      if (outcome === "ready") return;
      if (attempt < START_ATTEMPTS_MAX && outcome === "api-server-ended" && !this.etcd.hasExited()) continue;
      await this.stop();
      throw await startError(outcome, outcome === "etcd-ended" ? this.etcd : this.server);
    }
  }

  /** With a watch open the API server takes a minute to end on SIGTERM, and it has nothing to lose. */
  async killServer(): Promise<void> {
    await this.server.stop({ signal: "SIGKILL" });
  }

  async stop(): Promise<void> {
    await this.killServer();
    await this.etcd.stop({ graceMs: 5_000 });
    process.removeListener("exit", this.#killBoth);
  }
}

async function writeKubeconfigs(input: {
  readonly directory: string;
  readonly url: string;
  readonly caFile: string;
  readonly instance: Instance;
}): Promise<Pick<ApiServer, "kubeconfigPath" | "users">> {
  const { directory, url, instance } = input;
  const ca = await readFile(input.caFile, "utf8");
  const write = async (fileName: string, token: string): Promise<string> => {
    const path = join(directory, fileName);
    await writePrivately(path, kubeconfigText({ url, token, ca }));
    return path;
  };
  const users: Record<string, { token: string; kubeconfigPath: string }> = {};
  for (const { name, token } of instance.users) {
    const fileName = `user-${name.replaceAll(/[^A-Za-z0-9.-]/g, "_")}.kubeconfig`;
    users[name] = { token, kubeconfigPath: await write(fileName, token) };
  }
  return { kubeconfigPath: await write("admin.kubeconfig", instance.token), users };
}

async function startError(outcome: Exclude<StartOutcome, "ready">, child: Child): Promise<OperationalError> {
  const log = await readFile(child.logFile, "utf8").catch(() => "");
  const what = outcome === "too-late" ? `was not ready after ${READY_LIMIT_MS} ms` : "ended while starting";
  return new OperationalError({
    code: "api-server-start",
    remedy: "give-up",
    message: `${child.name} ${what}; the end of ${child.logFile}:\n${log.slice(-LOG_TAIL_CHARACTERS)}`,
  });
}
