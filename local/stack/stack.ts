import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { migrate } from "../../db/migrate.ts";
import { startApiServer, type ApiServer } from "../control-plane/api-server.ts";
import { startMysql, type MysqlServer } from "../mysql/mysql-server.ts";
import { startChild, type Child } from "../process/child.ts";

/**
 * The whole product on one machine: a real API server, a real MySQL, and operators and workers as separate processes with
 * the rights and accounts that they have in production. For the demo and for the tests of whole behaviour.
 */
export type Stack = {
  readonly directory: string;
  readonly api: ApiServer;
  readonly mysql: MysqlServer;
  /** URLs of the accounts of this database. */
  readonly urls: Readonly<Record<"admin" | "worker" | "operator" | "feed", string>>;
  /** Running and ended processes by name, such as "worker-1"; a name started again replaces the one before. */
  readonly processes: ReadonlyMap<string, Child>;
  startOperator(name: string): Child;
  startWorker(name: string, env?: Readonly<Record<string, string>>): Child;
  /** Ends everything: first the processes, at once, then the servers. */
  stop(): Promise<void>;
};

export type StackSettings = {
  readonly directory: string;
  readonly progress: (line: string) => void;
  readonly heartbeatInterval?: string;
  readonly logLevel?: string;
};

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const DATABASE = "dispatch";
/** Local servers that listen on loopback only and live as long as the demo: their passwords protect nothing. */
const PASSWORDS = { worker: "worker", operator: "operator", feed: "feed" };

export async function startStack(settings: StackSettings, signal: AbortSignal): Promise<Stack> {
  const { directory, progress } = settings;
  // Both may have to be fetched or built first; a failure of one must not leave the other running.
  const [apiResult, mysqlResult] = await Promise.allSettled([
    startApiServer({
      directory: join(directory, "control-plane"),
      progress,
      users: [
        { name: "operator", groups: [] },
        { name: "worker", groups: [] },
      ],
    }),
    startMysql({ directory: join(directory, "mysql"), progress }, signal),
  ]);
  const stopServers = async (): Promise<void> => {
    if (apiResult.status === "fulfilled") await apiResult.value.stop();
    if (mysqlResult.status === "fulfilled") await mysqlResult.value.stop();
  };
  if (apiResult.status === "rejected" || mysqlResult.status === "rejected") {
    await stopServers();
    throw apiResult.status === "rejected" ? apiResult.reason : (mysqlResult as PromiseRejectedResult).reason;
  }
  const api = apiResult.value;
  const mysql = mysqlResult.value;
  try {
    const adminUrl = `${mysql.url}/${DATABASE}`;
    await Promise.all([
      installIntoCluster(api),
      migrate({ url: adminUrl, passwords: PASSWORDS, progress }, signal),
    ]);
    return new RunningStack({ settings, api, mysql, adminUrl });
  } catch (error) {
    await stopServers();
    throw error;
  }
}

async function installIntoCluster(api: ApiServer): Promise<void> {
  const crd = join(ROOT, "crds", "city.yaml");
  const commands = [
    ["apply", "-f", crd, "-f", join(ROOT, "local", "stack", "rights.yaml")],
    ["wait", "--for=condition=Established", "--timeout=30s", "-f", crd],
  ];
  for (const command of commands) {
    const { code, stderr } = await api.kubectl(command);
    if (code !== 0) throw new Error(`kubectl ${command.join(" ")} failed: ${stderr}`);
  }
}

class RunningStack implements Stack {
  readonly directory: string;
  readonly api: ApiServer;
  readonly mysql: MysqlServer;
  readonly urls: Stack["urls"];
  readonly processes = new Map<string, Child>();
  readonly #settings: StackSettings;

  constructor(input: {
    readonly settings: StackSettings;
    readonly api: ApiServer;
    readonly mysql: MysqlServer;
    readonly adminUrl: string;
  }) {
    this.#settings = input.settings;
    this.directory = input.settings.directory;
    this.api = input.api;
    this.mysql = input.mysql;
    const account = (name: keyof typeof PASSWORDS): string => {
      const url = new URL(input.adminUrl);
      url.username = `${DATABASE}_${name}`;
      url.password = PASSWORDS[name];
      return url.href;
    };
    this.urls = {
      admin: input.adminUrl,
      worker: account("worker"),
      operator: account("operator"),
      feed: account("feed"),
    };
  }

  startOperator(name: string): Child {
    return this.#start(name, join("operator", "main.ts"), {
      DATABASE_URL: this.urls.operator,
      KUBECONFIG: this.api.users["operator"]?.kubeconfigPath,
      ELECTION_LEASE_DURATION: "5s",
      ELECTION_RENEW_DEADLINE: "3s",
      ELECTION_RETRY_PERIOD: "500ms",
    });
  }

  startWorker(name: string, env: Readonly<Record<string, string>> = {}): Child {
    return this.#start(name, join("worker", "main.ts"), {
      DATABASE_URL: this.urls.worker,
      KUBECONFIG: this.api.users["worker"]?.kubeconfigPath,
      HEARTBEAT_INTERVAL: this.#settings.heartbeatInterval ?? "1s",
      ...env,
    });
  }

  async stop(): Promise<void> {
    const children = [...this.processes.values()].toReversed();
    await Promise.all(
      children.map(async (child) => {
        // The second signal asks for an immediate end: nobody is left to hand over to. Two of the same kind could merge.
        child.signal("SIGINT");
        await child.stop({ signal: "SIGTERM", graceMs: 5_000 });
      }),
    );
    await this.api.stop();
    await this.mysql.stop();
  }

  #start(name: string, main: string, env: Readonly<Record<string, string | undefined>>): Child {
    const child = startChild({
      name,
      command: process.execPath,
      args: ["--disable-warning=ExperimentalWarning", join(ROOT, main)],
      cwd: ROOT,
      env: {
        POD_NAME: name,
        POD_NAMESPACE: "default",
        PROBE_PORT: "0",
        PROBE_HOST: "127.0.0.1",
        LOG_LEVEL: this.#settings.logLevel ?? "info",
        ...env,
      },
      logFile: join(this.directory, "log", `${name}.log`),
    });
    this.processes.set(name, child);
    return child;
  }
}
