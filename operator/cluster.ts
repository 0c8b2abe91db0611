import { backoffMs } from "../runtime/backoff.ts";
import type { Clock } from "../runtime/clock.ts";
import { OperationalError, isOperational } from "../runtime/errors.ts";
import type { KubeClient } from "../runtime/kube/kube-api.ts";
import { NAMESPACES, type KubeObject } from "../runtime/kube/resources.ts";
import type { Log } from "../runtime/log.ts";

const OLDEST_MINOR = 35;
const BACKOFF = { firstMs: 200, maxMs: 5_000 };

export type Cluster = {
  /** UID of the kube-system namespace: the cluster's identity for as long as its etcd lives. */
  readonly uid: string;
  /** Such as "v1.35.4". */
  readonly version: string;
};

/** What a person may yet put right, without a word to us: rights that are still to be given, credentials to be renewed. */
const CURABLE = new Set(["kube-forbidden", "kube-unauthorized"]);

/**
 * Which cluster this is; undefined when the signal aborted first. Waits for an API server that is away or refuses us, and tells
 * what it waits for; throws `kube-version` when it is older than 1.35, where resourceVersions were not comparable (KEP-5504).
 */
export async function readCluster(
  dependencies: {
    readonly client: KubeClient;
    readonly clock: Clock;
    readonly random: () => number;
    readonly log: Log;
    readonly onTrouble: (trouble: string) => void;
  },
  signal: AbortSignal,
): Promise<Cluster | undefined> {
  const { client, clock, random, log, onTrouble } = dependencies;
  for (let attempt = 0; !signal.aborted; attempt += 1) {
    try {
      const version = await client.version(signal);
      requireVersion(version);
      const namespace = await client.get<KubeObject>(NAMESPACES, { name: "kube-system" }, signal);
      const uid = namespace?.metadata.uid;
      if (uid !== undefined) return { uid, version: version.gitVersion };
      onTrouble("there is no namespace kube-system yet");
      log.warn({ attempt }, "namespace kube-system not there yet");
    } catch (error) {
      if (signal.aborted) return undefined;
      if (!isOperational(error)) throw error;
      if (error.remedy === "give-up" && !CURABLE.has(error.code)) throw error;
      onTrouble(error.message);
      log.warn({ attempt, because: error.code, err: error }, "cluster not read");
    }
    await clock.sleep(backoffMs(BACKOFF, attempt, random), signal).catch(() => undefined);
  }
  return undefined;
}

export function requireVersion(version: {
  readonly major: string;
  readonly minor: string;
  readonly gitVersion: string;
}): void {
  const major = Number.parseInt(version.major, 10);
  const minor = Number.parseInt(version.minor, 10);
  if (major > 1 || (major === 1 && minor >= OLDEST_MINOR)) return;
  throw new OperationalError({
    code: "kube-version",
    remedy: "give-up",
    message: `this is Kubernetes ${version.gitVersion}; City operator needs 1.${OLDEST_MINOR} or later, where resourceVersions are comparable (KEP-5504)`,
  });
}
