import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { accountName, type AccountRole } from "../../db/accounts.ts";
import { migrate } from "../../db/migrate.ts";
import { startApiServer, type ApiServer } from "../control-plane/api-server.ts";
import { dropDatabase } from "../mysql/given-server.ts";
import { startMysql, type MysqlServer } from "../mysql/mysql-server.ts";
import { startChild, type Child } from "../process/child.ts";

/**
 * The whole product on one machine: a real API server, a real MySQL, and operators and workers as separate processes with
 * the rights and accounts that they have in production. For the demo and for the tests of whole behaviour.
 */
export type Stack = {
  readonly directory: string;
  readonly api: ApiServer;
  /** The server that the stack runs itself; undefined when it was given one, or uses another stack's. */
  readonly mysql: MysqlServer | undefined;
  /** URLs of the accounts of this database. */
  readonly urls: Readonly<Record<AccountRole | "admin", string>>;
  /** Running and ended processes by name, such as "worker-1"; a name started again replaces the one before. */
  readonly processes: ReadonlyMap<string, Child>;
  startOperator(name: string, env?: Readonly<Record<string, string>>): Child;
  startWorker(name: string, env?: Readonly<Record<string, string>>): Child;
  /** Ends everything: first the processes, at once, then the servers. */
  stop(): Promise<void>;
};

export type StackSettings = {
  readonly directory: string;
  readonly progress: (line: string) => void;
  /** An administrator's URL of a server to use instead of one of our own; our database on it is dropped at the end. */
  readonly mysqlUrl?: string | undefined;
  /** The administrator's URL of another stack's database, to run a second cluster on it; it ends with that stack. */
  readonly sharedDatabaseUrl?: string;
  readonly heartbeatInterval?: string;
  /** Whether the API server writes down every request. */
  readonly auditLog?: boolean;
  readonly logLevel?: string;
  /** False: without the reference tables, for a company's own schema. */
  readonly reference?: boolean;
};

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
/** Local servers that listen on loopback only and live as long as the demo: their passwords protect nothing. */
const PASSWORDS = { worker: "worker", operator: "operator", feed: "feed" };

export async function startStack(settings: StackSettings, signal: AbortSignal): Promise<Stack> {
  const { directory, progress } = settings;
  // Both may have to be fetched or built first; a failure of one ends the other at once, and leaves nothing running.
  const failing = new AbortController();
  const endBoth = (error: unknown): never => {
    failing.abort(error);
    throw error;
  };
  const [apiResult, mysqlResult] = await Promise.allSettled([
    startApiServer({
      directory: join(directory, "control-plane"),
      progress,
      auditLog: settings.auditLog ?? false,
      users: [
        { name: "operator", groups: [] },
        { name: "worker", groups: [] },
      ],
    }).catch(endBoth),
    startDatabase(settings, AbortSignal.any([signal, failing.signal])).catch(endBoth),
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
  const database = mysqlResult.value;
  try {
    await Promise.all([
      installIntoCluster(api),
      ...(database.isShared
        ? []
        : [
            migrate(
              {
                url: database.adminUrl,
                passwords: PASSWORDS,
                reference: settings.reference ?? true,
                progress,
              },
              signal,
            ),
          ]),
    ]);
    return new RunningStack({ settings, api, database });
  } catch (error) {
    await stopServers();
    throw error;
  }
}

/** Where the product's tables are, and how that ends. */
type StackDatabase = {
  /** Of the database, for an administrator. */
  readonly adminUrl: string;
  readonly name: string;
  /** Somebody else's, who has brought it to the present schema. */
  readonly isShared: boolean;
  readonly server: MysqlServer | undefined;
  stop(): Promise<void>;
};

async function startDatabase(settings: StackSettings, signal: AbortSignal): Promise<StackDatabase> {
  const { directory, progress, mysqlUrl, sharedDatabaseUrl } = settings;
  if (sharedDatabaseUrl !== undefined) {
    const name = new URL(sharedDatabaseUrl).pathname.slice(1);
    return {
      adminUrl: sharedDatabaseUrl,
      name,
      isShared: true,
      server: undefined,
      stop: async () => undefined,
    };
  }
  if (mysqlUrl === undefined) {
    const server = await startMysql({ directory: join(directory, "mysql"), progress }, signal);
    return {
      adminUrl: `${server.url}/dispatch`,
      name: "dispatch",
      isShared: false,
      server,
      stop: () => server.stop(),
    };
  }
  const name = `dispatch_${randomBytes(4).toString("hex")}`;
  const url = new URL(mysqlUrl);
  url.pathname = `/${name}`;
  progress(`using the MySQL server of MYSQL_URL, with a database ${name} that is dropped at the end`);
  return {
    adminUrl: url.href,
    name,
    isShared: false,
    server: undefined,
    stop: () => dropDatabase(url.href, name),
  };
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
  readonly mysql: MysqlServer | undefined;
  readonly urls: Stack["urls"];
  readonly processes = new Map<string, Child>();
  readonly #settings: StackSettings;
  readonly #database: StackDatabase;

  constructor(input: {
    readonly settings: StackSettings;
    readonly api: ApiServer;
    readonly database: StackDatabase;
  }) {
    this.#settings = input.settings;
    this.directory = input.settings.directory;
    this.api = input.api;
    this.#database = input.database;
    this.mysql = input.database.server;
    const account = (name: AccountRole): string => {
      const url = new URL(input.database.adminUrl);
      url.username = accountName(input.database.name, name);
      url.password = PASSWORDS[name];
      return url.href;
    };
    this.urls = {
      admin: input.database.adminUrl,
      worker: account("worker"),
      operator: account("operator"),
      feed: account("feed"),
    };
  }

  startOperator(name: string, env: Readonly<Record<string, string>> = {}): Child {
    return this.#start(name, join("operator", "main.ts"), {
      DATABASE_URL: this.urls.operator,
      KUBECONFIG: this.api.users["operator"]?.kubeconfigPath,
      ELECTION_LEASE_DURATION: "5s",
      ELECTION_RENEW_DEADLINE: "3s",
      ELECTION_RETRY_PERIOD: "500ms",
      ...env,
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
    await this.#database.stop();
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
