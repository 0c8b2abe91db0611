import { join } from "node:path";
import { CITY_API_VERSION } from "../../../crds/city.ts";
import { accountName, ACCOUNT_ROLES, type AccountRole } from "../../../db/accounts.ts";
import { audit, formatAuditReport } from "../../../db/audit.ts";
import { openDatabase, type Database } from "../../../db/pool.ts";
import { dropDatabase } from "../../../local/mysql/given-server.ts";
import { systemClock } from "../../../runtime/clock.ts";
import { createKubeClient, type KubeClient } from "../../../runtime/kube/client.ts";
import { silentLog } from "../../../runtime/log.ts";
import { CHART } from "../../support/helm.ts";
import { createLedger, type Ledger, type LedgerQuery } from "../../support/ledger.ts";
import type { Image, World } from "./world.ts";

/** One release of the chart in a namespace that enforces Pod Security "restricted", on a database of its own. */
export type Installation = Ledger & {
  readonly namespace: string;
  readonly release: string;
  /** An administrator's, where kubectl is too slow to ask with. */
  readonly kube: KubeClient;
  /** kubectl in the namespace that must succeed: resolves to what it printed. */
  kubectl(args: readonly string[], input?: string): Promise<string>;
  /** The same, resolving to what it said of a refusal; rejects when there was none. */
  refused(args: readonly string[], input?: string): Promise<string>;
  /** helm install or upgrade of a chart, waiting until all is ready; `settings` as for --set. */
  helm(
    command: "install" | "upgrade",
    image: Image,
    options?: { readonly chart?: string; readonly settings?: readonly string[]; readonly waits?: boolean },
  ): Promise<string>;
  applyCities(names: readonly string[], period: string): Promise<void>;
  /** URL of an account as a pod reaches the database. */
  podUrl(account: AccountRole | "admin"): string;
  /** The database as one of the accounts, from here. Closed by `close`. */
  open(account: AccountRole | "admin"): Database;
  /** Writes the Secret that the chart reads; `changes` replace URLs. */
  writeSecret(changes?: Partial<Readonly<Record<AccountRole | "admin", string>>>): Promise<void>;
  /** Asks the database as its administrator. */
  query: LedgerQuery;
  /** Throws with the auditor's report when there is a violation. */
  expectAuditClean(): Promise<void>;
  /** Uninstalls, and removes the namespace and the database. */
  close(): Promise<void>;
};

/** Somebody's namespace goes only when all that is in it has gone. */
export const CLOSE_LIMIT_MS = 300_000;

export const RELEASE = "city-operator";

const QUERY_LIMIT_MS = 10_000;
const PASSWORD = "e2e-password";

/** Makes the namespace and the Secret; installs nothing yet. `name`: of lower-case letters, for namespace and database. */
export async function createInstallation(world: World, name: string): Promise<Installation> {
  const kubectl: Installation["kubectl"] = async (args, input = "") => {
    const { stdout, stderr, code } = await world.kubectl([`--namespace=${name}`, ...args], {
      input,
      timeoutMs: 180_000,
    });
    if (code !== 0) throw new Error(`kubectl ${args.join(" ")} ended with ${code}: ${stderr}`);
    return stdout;
  };
  await kubectl(["create", "namespace", name]);
  await kubectl(["label", "namespace", name, "pod-security.kubernetes.io/enforce=restricted"]);
  const urlOf = (base: string, account: AccountRole | "admin"): string => {
    const url = new URL(base);
    url.pathname = `/${name}`;
    if (account !== "admin") {
      url.username = accountName(name, account);
      url.password = PASSWORD;
    }
    return url.href;
  };
  const opened: Database[] = [];
  const open: Installation["open"] = (account) => {
    const url = urlOf(world.databaseUrl, account);
    const database = openDatabase({ url, connectionsMax: 4, log: silentLog, clock: systemClock });
    opened.push(database);
    return database;
  };
  const admin = open("admin");
  const podUrl: Installation["podUrl"] = (account) => urlOf(world.podDatabaseUrl, account);
  const writeSecret: Installation["writeSecret"] = async (changes = {}) => {
    const accounts = [...ACCOUNT_ROLES, "admin"] as const;
    const stringData = Object.fromEntries(
      accounts.map((account) => [`${account}-url`, changes[account] ?? podUrl(account)]),
    );
    const secret = {
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name: "city-operator-database" },
      stringData,
    };
    await kubectl(["apply", "-f", "-"], JSON.stringify(secret));
  };
  await writeSecret();
  const query: LedgerQuery = (sql, values = []) =>
    admin.query(sql, values, AbortSignal.timeout(QUERY_LIMIT_MS));
  return {
    ...createLedger(query),
    namespace: name,
    kube: createKubeClient({ kubeconfig: { kind: "file", path: world.kubeconfigPath } }),
    release: RELEASE,
    kubectl,
    async refused(args, input = "") {
      const { stderr, code } = await world.kubectl([`--namespace=${name}`, ...args], { input });
      if (code === 0) throw new Error(`kubectl ${args.join(" ")} was not refused`);
      return stderr;
    },
    async helm(command, { repository, tag }, { chart = CHART, settings = [], waits = true } = {}) {
      const values = [`image.repository=${repository}`, `image.tag=${tag}`, ...settings];
      return await world.helm([
        command,
        RELEASE,
        chart,
        `--namespace=${name}`,
        "--timeout=180s",
        ...(waits ? ["--wait"] : []),
        ...values.flatMap((value) => ["--set", value]),
      ]);
    },
    async applyCities(names, period) {
      const items = names.map((city) => ({
        apiVersion: CITY_API_VERSION,
        kind: "City",
        metadata: { name: city },
        spec: { period },
      }));
      await kubectl(["apply", "-f", "-"], JSON.stringify({ apiVersion: "v1", kind: "List", items }));
    },
    podUrl,
    open,
    query,
    writeSecret,
    async expectAuditClean() {
      const report = await audit(admin, AbortSignal.timeout(60_000));
      if (!report.isClean) throw new Error(formatAuditReport(report));
    },
    async close() {
      await Promise.all(opened.map((database) => database.close()));
      if (world.own !== undefined) return;
      // While an operator is there, which lets them go.
      await kubectl(["delete", "cities", "--all", "--ignore-not-found", "--timeout=60s"]);
      await world.helm(["uninstall", RELEASE, `--namespace=${name}`, "--ignore-not-found"]);
      await kubectl(["delete", "namespace", name, "--timeout=120s"]);
      await dropDatabase(world.databaseUrl, name);
    },
  };
}

export const goldenFile = (name: string): string => join(import.meta.dirname, "..", "golden", name);
