import type { KubeObject } from "../../runtime/kube/resources.ts";

/**
 * What a Pod's status says of the worker process in it. The times compared here are all of one clock: the process dates its
 * registration, and the kubelet the end of its container, on the same node.
 */

type Terminated = { readonly finishedAt?: string };
type ContainerStatus = {
  readonly name: string;
  readonly state?: {
    readonly running?: { readonly startedAt?: string };
    readonly terminated?: Terminated;
  };
  readonly lastState?: { readonly terminated?: Terminated };
};

export type Pod = KubeObject & {
  readonly status?: { readonly phase?: string; readonly containerStatuses?: readonly ContainerStatus[] };
};

/** Which container is the worker's, in a Pod that has several. */
const WORKER_CONTAINER = "worker";

/** Whether the process that registered at `since` (RFC 3339) has surely ended. Pure. */
export function hasProcessEnded(pod: Pod, since: string): boolean {
  const { phase, containerStatuses = [] } = pod.status ?? {};
  if (phase === "Succeeded" || phase === "Failed") return true;
  const container =
    containerStatuses.length === 1
      ? containerStatuses[0]
      : containerStatuses.find(({ name }) => name === WORKER_CONTAINER);
  const startedMs = wholeSecondsMs(since);
  const finishedMs = wholeSecondsMs(
    (container?.state?.terminated ?? container?.lastState?.terminated)?.finishedAt,
  );
  const runningSinceMs = wholeSecondsMs(container?.state?.running?.startedAt);
  if (startedMs === undefined || finishedMs === undefined) return false;
  // The kubelet rounds to seconds: when in doubt it is the process that runs now.
  const isPresent = runningSinceMs !== undefined && runningSinceMs <= startedMs;
  return !isPresent && startedMs <= finishedMs;
}

function wholeSecondsMs(text: string | undefined): number | undefined {
  const timeMs = Date.parse(text ?? "");
  return Number.isNaN(timeMs) ? undefined : Math.floor(timeMs / 1_000) * 1_000;
}
