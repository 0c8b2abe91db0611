import { getHeapStatistics } from "node:v8";

/**
 * Bytes that a run of `work` allocates on V8's heap once it is warm: the mean of many, as V8 counts them by areas that are larger
 * than what a small run needs.
 */
export async function bytesAllocatedBy(work: () => unknown, runs: number): Promise<number> {
  for (let run = 0; run < runs; run++) await work();
  const before = getHeapStatistics().total_allocated_bytes;
  for (let run = 0; run < runs; run++) await work();
  return (getHeapStatistics().total_allocated_bytes - before) / runs;
}
