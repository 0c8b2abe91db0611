import { cp, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CITIES, CITY_API_VERSION, type City, type CitySpec } from "../../crds/city.ts";
import { audit, formatAuditReport } from "../../db/audit.ts";
import { openDatabase, type Database, type Row } from "../../db/pool.ts";
import type { MysqlServer } from "../../local/mysql/mysql-server.ts";
import { startStack, type Stack, type StackSettings } from "../../local/stack/stack.ts";
import { abortable } from "../../runtime/abort.ts";
import { systemClock } from "../../runtime/clock.ts";
import { createKubeClient } from "../../runtime/kube/client.ts";
import type { KubeClient } from "../../runtime/kube/kube-api.ts";
import { LEASES } from "../../runtime/kube/resources.ts";
import { silentLog } from "../../runtime/log.ts";
import { createLedger, type Ledger } from "./ledger.ts";

/** The whole product for one test file: real servers, operators and workers as processes, a few Cities that tick. */
export type Product = Ledger & {
  readonly stack: Stack;
  readonly mysql: MysqlServer;
  readonly kube: KubeClient;
  readonly database: Database;
  query(sql: string, values?: readonly (string | number | bigint)[]): Promise<readonly Row[]>;
  city(name: string): Promise<City | undefined>;
  /** Applies a City with kubectl. */
  apply(name: string, spec: Partial<CitySpec> & { readonly period: string }): Promise<void>;
  /** The same for many at once. */
  applyAll(names: readonly string[], spec: Partial<CitySpec> & { readonly period: string }): Promise<void>;
  /** Cities by the worker that their Leases name, with the pod's name as the key. */
  holdings(): Promise<ReadonlyMap<string, readonly string[]>>;
  /** One line per City Lease that has a holder: "city worker token". What must not change when nothing moves. */
  assignments(): Promise<readonly string[]>;
  log(process: string): Promise<string>;
  /** Copies every process's log into this folder of `out/`, which is kept, and returns where that is. */
  keepLogs(name: string): Promise<string>;
  /** Throws with the auditor's report when there is a violation. */
  expectAuditClean(): Promise<void>;
  stop(): Promise<void>;
};

const QUERY_LIMIT_MS = 10_000;
const ALL_TICKING_LIMIT_MS = 60_000;

export async function startProduct(input: {
  readonly cities: readonly string[];
  readonly period?: string;
  readonly workers?: number;
  readonly operators?: number;
  readonly settings?: Partial<StackSettings>;
  /** Starts the processes, in the place of so many plain operators and workers. */
  readonly launch?: (stack: Stack) => Promise<void>;
  readonly signal?: AbortSignal;
}): Promise<Product> {
  const { signal = new AbortController().signal } = input;
  const directory = await mkdtemp(join(tmpdir(), "city-operator-product-"));
  const stack = await startStack(
    {
      directory,
      progress: (line) => process.stderr.write(`${line}\n`),
      logLevel: "debug",
      ...input.settings,
    },
    signal,
  );
  const product = productOf(stack, directory);
  try {
    await (input.launch ?? launchPlain(input))(stack);
    await product.applyAll(input.cities, { period: input.period ?? "1s" });
    await abortable(product.awaitTicks(input.cities, 0, ALL_TICKING_LIMIT_MS), signal);
  } catch (error) {
    await product.stop();
    throw error;
  }
  return product;
}

function launchPlain(input: { readonly workers?: number; readonly operators?: number }) {
  return async (stack: Stack): Promise<void> => {
    for (let index = 1; index <= (input.operators ?? 2); index++) stack.startOperator(`operator-${index}`);
    for (let index = 1; index <= (input.workers ?? 3); index++) stack.startWorker(`worker-${index}`);
  };
}

function productOf(stack: Stack, directory: string): Product {
  const kube = createKubeClient({ kubeconfig: { kind: "file", path: stack.api.kubeconfigPath } });
  const database = openDatabase({
    url: stack.urls.admin,
    connectionsMax: 4,
    log: silentLog,
    clock: systemClock,
  });
  const never = new AbortController().signal;
  const query: Product["query"] = (sql, values = []) =>
    database.query(sql, values, AbortSignal.timeout(QUERY_LIMIT_MS));

  const heldLeases = async () => {
    const { items } = await kube.list<{
      metadata: { name: string; resourceVersion?: string };
      spec?: { holderIdentity?: string };
    }>(LEASES, { namespace: "default", labelSelector: "dispatch.city/component=city" }, never);
    return items
      .filter(({ spec }) => (spec?.holderIdentity ?? "") !== "")
      .map(({ metadata, spec }) => ({
        city: metadata.name.replace(/^city-/, ""),
        worker: spec?.holderIdentity ?? "",
        token: metadata.resourceVersion,
      }));
  };

  const applyAll: Product["applyAll"] = async (names, spec) => {
    // kubectl takes an empty list for a mistake.
    if (names.length === 0) return;
    const items = names.map((name) => ({
      apiVersion: CITY_API_VERSION,
      kind: "City",
      metadata: { name },
      spec,
    }));
    const { code, stderr } = await stack.api.kubectl(["apply", "-f", "-"], {
      input: JSON.stringify({ apiVersion: "v1", kind: "List", items }),
    });
    if (code !== 0) throw new Error(stderr);
  };

  return {
    stack,
    mysql: stack.mysql!,
    kube,
    database,
    query,
    city: (name) => kube.get<City>(CITIES, { namespace: "default", name }, never),
    apply: (name, spec) => applyAll([name], spec),
    applyAll,
    async holdings() {
      const byPod = new Map<string, string[]>();
      for (const { city, worker } of await heldLeases()) {
        const pod = worker.replace(/-[0-9a-f]+$/, "");
        byPod.set(pod, [...(byPod.get(pod) ?? []), city]);
      }
      return byPod;
    },
    async assignments() {
      return (await heldLeases()).map(({ city, worker, token }) => `${city} ${worker} ${token}`).toSorted();
    },
    ...createLedger(query),
    log: (name) => readFile(join(directory, "log", `${name}.log`), "utf8"),
    async keepLogs(name) {
      const kept = join("out", name);
      await cp(join(directory, "log"), kept, { recursive: true });
      return kept;
    },
    async expectAuditClean() {
      const report = await audit(database, AbortSignal.timeout(60_000));
      if (!report.isClean) throw new Error(formatAuditReport(report));
    },
    async stop() {
      await kube.close();
      await database.close();
      await stack.stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}
