import { audit, formatAuditReport } from "../../../db/audit.ts";
import { createKubeClient } from "../../../runtime/kube/client.ts";
import type { KubeClient } from "../../../runtime/kube/kube-api.ts";
import { NAMESPACES, type KubeObject } from "../../../runtime/kube/resources.ts";
import { startTestApiServer, type TestApiServer } from "../../support/kube.ts";
import { freshDatabase, startTestMysql, type TestDatabase } from "../../support/mysql.ts";
import type { Surroundings } from "./processes.ts";

/** A real API server and a real MySQL for one test file; each run has a namespace and names of its own. */
export type PerturbationWorld = {
  readonly api: TestApiServer;
  readonly client: KubeClient;
  readonly database: TestDatabase;
  readonly clusterUid: string;
  nextPrefix(): string;
  /** A new namespace of this name, less the hyphen at its end. */
  surroundings(prefix: string): Promise<Surroundings>;
  /** Throws with the auditor's report when there is a violation. */
  expectAuditClean(): Promise<void>;
  stop(): Promise<void>;
};

export async function startPerturbationWorld(
  options: Parameters<typeof startTestApiServer>[0] = {},
): Promise<PerturbationWorld> {
  const [api, mysql] = await Promise.all([startTestApiServer(options), startTestMysql()]);
  await api.applyCrd("crds/city.yaml");
  const client = createKubeClient({
    kubeconfig: { kind: "file", path: api.kubeconfigPath },
    connectionsMax: 32,
  });
  const system = await client.get<KubeObject>(
    NAMESPACES,
    { name: "kube-system" },
    AbortSignal.timeout(10_000),
  );
  const clusterUid = system?.metadata.uid ?? "";
  const database = await freshDatabase(mysql, { authority: false });
  const auditor = database.open("admin", { connectionsMax: 1 });
  let runs = 0;
  return {
    api,
    client,
    database,
    clusterUid,
    nextPrefix() {
      runs += 1;
      return `run${runs}-`;
    },
    async surroundings(prefix) {
      const namespace = await api.createNamespace(prefix.replace(/-$/, ""));
      return { namespace, clusterUid, client, database };
    },
    async expectAuditClean() {
      const report = await audit(auditor, AbortSignal.timeout(60_000));
      if (!report.isClean) throw new Error(formatAuditReport(report));
    },
    async stop() {
      await client.close();
      await database.close();
      await mysql.close();
      await api.stop();
    },
  };
}
