import { readAuthority, takeAuthority } from "../db/authority.ts";
import type { Database } from "../db/pool.ts";
import { NAMESPACES, type KubeObject } from "../runtime/kube/resources.ts";
import { recordDeed, refusal, type Session } from "./session.ts";

/** Which cluster may hand out tokens, seen from this one. */

async function clusterUidOf({ kube, signal }: Session): Promise<string> {
  const namespace = await kube.get<KubeObject>(NAMESPACES, { name: "kube-system" }, signal);
  const uid = namespace?.metadata.uid;
  if (uid === undefined) throw refusal("cluster-unknown", "this cluster has no namespace kube-system");
  return uid;
}

export async function showAuthority(session: Session, database: Database): Promise<void> {
  const [ours, row] = await Promise.all([clusterUidOf(session), readAuthority(database, session.signal)]);
  if (row === undefined) {
    session.print("no cluster has dispatched for this database yet: the first operator takes it for its own");
    return;
  }
  session.print(`tokens come from cluster ${row.clusterUid}, epoch ${row.epoch}`);
  session.print(
    row.clusterUid === ours
      ? "that is this cluster"
      : `this cluster is ${ours}: it assigns nothing until "kubectl city authority take"`,
  );
}

export async function orderAuthority(session: Session, database: Database, isMeant: boolean): Promise<void> {
  const [ours, before] = await Promise.all([clusterUidOf(session), readAuthority(database, session.signal)]);
  if (before?.clusterUid === ours) {
    session.print(`this cluster has the authority already, in epoch ${before.epoch}: nothing was changed`);
    return;
  }
  if (!isMeant) {
    throw refusal(
      "not-meant",
      `this takes the database from cluster ${before?.clusterUid ?? "(none)"} for cluster ${ours}: if that is meant, say --yes`,
    );
  }
  const { epoch } = await takeAuthority(database, ours, session.signal);
  session.print(`tokens come from this cluster, ${ours}, in epoch ${epoch}`);
  const { namespace } = session;
  await recordDeed(session, {
    regarding: { apiVersion: "v1", kind: "Namespace", name: namespace, namespace },
    reason: "AuthorityTaken",
    words: `authority take, epoch ${epoch}`,
  });
}
