import { CITY_API_VERSION } from "../crds/city.ts";
import type { Clock } from "../runtime/clock.ts";
import { isOperational } from "../runtime/errors.ts";
import type { EventRecorder } from "../runtime/kube/events.ts";
import type { Log } from "../runtime/log.ts";
import type { Authority } from "./authority.ts";
import { isBehindFence, type CityView, type FleetView } from "./cities/view.ts";
import type { Fleet } from "./fleet.ts";
import type { OperatorMetrics } from "./metrics.ts";

/**
 * Finds out that etcd went back in time, and cures it. A fence that is ahead of its Lease is proof once a quorum read of the
 * Lease, begun after the fence was read, agrees: no cluster has handed out a token that it does not know. Raising the epoch
 * puts every token of the restored history above all those of the lost one; holders of old tokens tick on until then.
 */
export type HistoryGuard = {
  /** Looks into one city whose fence is ahead, one at a time; true when something was learned from it. */
  inspect(view: FleetView, signal: AbortSignal): Promise<boolean>;
};

/** Two installations that share a database by mistake must not outbid each other as fast as they can. */
const RAISE_INTERVAL_MS = 10_000;

export function createHistoryGuard(dependencies: {
  readonly fleet: Fleet;
  readonly authority: Authority;
  readonly events: EventRecorder;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: OperatorMetrics;
}): HistoryGuard {
  const { fleet, authority, events, clock, log, metrics } = dependencies;
  let isInspecting = false;
  let raisedMs = -Infinity;

  async function inspectOne(city: CityView, view: FleetView, signal: AbortSignal): Promise<void> {
    const lease = await fleet.refresh(city.name, signal);
    if (view.authority.kind !== "ours" || !isBehindFence({ ...city, lease }, view)) return;
    raisedMs = clock.monotonicMs();
    const epoch = await authority.raise(view.authority.epoch, signal);
    if (epoch === undefined) return;
    metrics.epochRaised();
    log.error(
      {
        city: city.name,
        token: String(city.fence?.token),
        because: "history-rewritten",
        epoch: String(epoch),
      },
      "epoch raised",
    );
    const { name, namespace, uid } = city.city.metadata;
    events.record({
      regarding: {
        apiVersion: CITY_API_VERSION,
        kind: "City",
        name,
        namespace: namespace ?? "default",
        uid: uid ?? "",
      },
      reason: "EpochRaised",
      action: "RaiseEpoch",
      note: `etcd went back in time: the fence had token ${city.fence?.token}, the Lease ${lease?.token}; tokens continue in epoch ${epoch}`,
      type: "Warning",
    });
  }

  return {
    async inspect(view, signal) {
      if (isInspecting || clock.monotonicMs() - raisedMs < RAISE_INTERVAL_MS) return false;
      const city = view.cities.find((candidate) => isBehindFence(candidate, view));
      if (city === undefined) return false;
      isInspecting = true;
      try {
        await inspectOne(city, view, signal);
        return true;
      } catch (error) {
        if (signal.aborted) return false;
        if (!isOperational(error)) throw error;
        log.warn({ city: city.name, because: error.code, err: error }, "history not inspected");
        return false;
      } finally {
        isInspecting = false;
      }
    },
  };
}
