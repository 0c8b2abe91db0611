import { readFile } from "node:fs/promises";
import type { ApiServer } from "../../../local/control-plane/api-server.ts";

/** What the processes of a fleet use, from /proc, and what the API server counted, from its own metrics. */

/** Linux counts a process's time in hundredths of a second, whatever the machine. */
const TICKS_PER_SECOND = 100;
const METRICS_LIMIT_MS = 10_000;

export type ProcessUse = { readonly cpuSeconds: number; readonly residentBytes: number };

export async function useOf(pid: number): Promise<ProcessUse> {
  const [stat, status] = await Promise.all([
    readFile(`/proc/${pid}/stat`, "utf8"),
    readFile(`/proc/${pid}/status`, "utf8"),
  ]);
  // The name in parentheses may hold spaces; after it come the state and then numbers.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const cpuSeconds = (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
  const residentBytes = Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) * 1_024;
  return { cpuSeconds, residentBytes };
}

/** Requests by "verb resource", such as "PUT leases" or "PATCH cities/status", since the API server started. */
export type RequestCounts = ReadonlyMap<string, number>;

export async function readRequestCounts(api: ApiServer): Promise<RequestCounts> {
  return requestCountsIn(await readMetrics(api));
}

async function readMetrics(api: ApiServer): Promise<string> {
  const { code, stdout, stderr } = await api.kubectl(["get", "--raw", "/metrics"], {
    timeoutMs: METRICS_LIMIT_MS,
  });
  if (code !== 0) throw new Error(`the API server's metrics cannot be read: ${stderr}`);
  return stdout;
}

/** Pure: the text of `/metrics` → counts. Requests for no resource, as for the metrics themselves, are left out. */
export function requestCountsIn(text: string): RequestCounts {
  const counts = new Map<string, number>();
  for (const [, labels = "", value] of text.matchAll(/^apiserver_request_total\{(.*)\} (\S+)$/gm)) {
    const label = (name: string): string => new RegExp(`(?:^|,)${name}="([^"]*)"`).exec(labels)?.[1] ?? "";
    if (label("resource") === "") continue;
    const subresource = label("subresource");
    const key = `${label("verb")} ${label("resource")}${subresource === "" ? "" : `/${subresource}`}`;
    counts.set(key, (counts.get(key) ?? 0) + Number(value));
  }
  return counts;
}

const WRITES = new Set(["POST", "PUT", "PATCH", "APPLY", "DELETE"]);

export function isWrite(request: string): boolean {
  return WRITES.has(request.split(" ")[0] ?? "");
}

/** What was counted between the two, most first; what did not happen is left out. */
export function increase(
  before: RequestCounts,
  after: RequestCounts,
): readonly (readonly [string, number])[] {
  return [...after]
    .map(([key, count]) => [key, count - (before.get(key) ?? 0)] as const)
    .filter(([, count]) => count > 0)
    .toSorted(([, left], [, right]) => right - left);
}
