import { LOSS_WINDOW_MS } from "../cities/brake.ts";
import type { CityView } from "../cities/view.ts";
import type { WorkerView } from "./roster.ts";

/**
 * Which workers were lost of late with cities in their hands, and when. A worker that drained holds nothing when it goes, so
 * planned departures do not count. Pure.
 */
export function recentLosses(input: {
  readonly cities: readonly CityView[];
  readonly workers: ReadonlyMap<string, WorkerView>;
  readonly before: ReadonlyMap<string, number>;
  readonly nowMs: number;
}): ReadonlyMap<string, number> {
  const { cities, workers, before, nowMs } = input;
  const absent = new Set<string>();
  for (const { lease } of cities) {
    if (lease?.worker !== undefined && !isThere(workers.get(lease.worker))) absent.add(lease.worker);
  }
  const lost = new Map<string, number>();
  for (const [worker, atMs] of before) {
    // One whose cities still wait is not lost anew when the window is over.
    if (absent.has(worker) || nowMs - atMs < LOSS_WINDOW_MS) lost.set(worker, atMs);
  }
  for (const worker of absent) if (!lost.has(worker)) lost.set(worker, nowMs);
  return lost;
}

function isThere(worker: WorkerView | undefined): boolean {
  return worker !== undefined && worker.liveness !== "gone";
}
