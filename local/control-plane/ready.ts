import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { request } from "node:https";
import { setTimeout as sleep } from "node:timers/promises";
import type { Child } from "../process/child.ts";

/** Waits until a local API server can be used. */

export const READY_LIMIT_MS = 120_000;
const POLL_INTERVAL_MS = 50;
const REQUEST_LIMIT_MS = 2_000;
/** What a client may count on once the server calls itself ready; the last two are created a moment later. */
const READY_PATHS = ["/readyz", "/api/v1/namespaces/default", "/api/v1/namespaces/kube-system"];

export type StartOutcome = "ready" | "api-server-ended" | "etcd-ended" | "too-late";

/** Asks with the run's own token: a stranger on the port would answer 401, not 200. */
export async function awaitReady(input: {
  readonly server: Child;
  readonly etcd: Child;
  readonly url: string;
  readonly caFile: string;
  readonly token: string;
}): Promise<StartOutcome> {
  const deadlineMs = performance.now() + READY_LIMIT_MS;
  while (performance.now() < deadlineMs) {
    if (input.etcd.hasExited()) return "etcd-ended";
    if (input.server.hasExited()) return "api-server-ended";
    if (existsSync(input.caFile)) {
      const ca = await readFile(input.caFile, "utf8");
      const statuses = await Promise.all(
        READY_PATHS.map((path) => statusOf(`${input.url}${path}`, ca, input.token)),
      );
      if (statuses.every((status) => status === 200)) return "ready";
    }
    await sleep(POLL_INTERVAL_MS);
  }
  return "too-late";
}

/** HTTP status of one GET, undefined when there was no answer. */
async function statusOf(url: string, ca: string, token: string): Promise<number | undefined> {
  const answered = Promise.withResolvers<number | undefined>();
  const headers = { authorization: `Bearer ${token}` };
  const call = request(url, { ca, headers, agent: false, timeout: REQUEST_LIMIT_MS }, (response) => {
    response.resume();
    answered.resolve(response.statusCode);
  });
  call.once("timeout", () => call.destroy());
  call.once("error", () => {
    answered.resolve(undefined);
  });
  call.once("close", () => {
    answered.resolve(undefined);
  });
  call.end();
  return await answered.promise;
}
