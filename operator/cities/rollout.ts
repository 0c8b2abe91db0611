import type { WorkerView } from "../workers/roster.ts";

/**
 * During a rollout a pool has workers of two versions, and those of the older one will all be drained: a city that is
 * moved should go to the newer one, so that it moves once. Pure.
 */

/** The version of the pool's youngest worker; undefined while all workers are of one version. */
export function newestVersion(workers: ReadonlyMap<string, WorkerView>, pool: string): string | undefined {
  const versions = new Set<string>();
  let youngest: WorkerView | undefined;
  for (const worker of workers.values()) {
    if (worker.pool !== pool || worker.liveness === "gone") continue;
    versions.add(worker.version);
    // One clock, the API server's, dated them all. A worker that leaves is no sign of what is to come.
    const isCandidate = worker.liveness !== "draining";
    if (isCandidate && (youngest === undefined || isYounger(worker, youngest))) youngest = worker;
  }
  return versions.size > 1 ? youngest?.version : undefined;
}

function isYounger(left: WorkerView, right: WorkerView): boolean {
  return left.bornAt > right.bornAt || (left.bornAt === right.bornAt && left.id > right.id);
}
