import { isDeepStrictEqual } from "node:util";
import type { City, CityStatus } from "../../crds/city.ts";
import type { Clock } from "../../runtime/clock.ts";
import { isOperational } from "../../runtime/errors.ts";
import type { KubeClient } from "../../runtime/kube/kube-api.ts";
import type { Resource } from "../../runtime/kube/resources.ts";
import type { Log } from "../../runtime/log.ts";

/**
 * Writes what `describeCity` says onto the Cities: at once where the assignment or a condition changed, at a bounded
 * total rate where only progress did. Never writes what is there already: a no-op write wakes everybody who watches.
 */
export type StatusWriter = {
  /** Hands over the status that a City should have. */
  want(city: City, status: CityStatus): void;
  /** The City is gone. */
  forget(city: City): void;
  /** Everything that we wrote may be undone. */
  forgetAll(): void;
  /** `areActsWaiting`: whether cities wait for a write of their own, which goes before telling of one. */
  run(signal: AbortSignal, areActsWaiting: () => boolean): Promise<void>;
};

/**
 * While acts wait, they have the API server nearly to themselves: what is told meanwhile is soon told anew, and a city that
 * nobody has is worse than one of which nobody reads. It goes on one by one, for a queue that never empties must not hide it.
 */
const URGENT_CONCURRENCY = { max: 8, whileActsWait: 1 };

export function createStatusWriter(input: {
  readonly client: KubeClient;
  readonly resource: Resource;
  readonly clock: Clock;
  readonly log: Log;
  /** Progress writes for the whole fleet, at the time of asking. */
  readonly progressWritesPerSecond: () => number;
  /** A status could not be written: whoever wants it there must hand it over again. */
  readonly onFailed: (city: City) => void;
}): StatusWriter {
  const { client, resource, clock, log } = input;
  /** What is to be written, oldest first; a later status of the same city replaces the earlier one in place. */
  const urgent = new Map<string, { city: City; status: CityStatus }>();
  const progress = new Map<string, { city: City; status: CityStatus }>();
  /** What we wrote last: the reflector's copy may be older. */
  const written = new Map<string, CityStatus>();
  let wake = Promise.withResolvers<void>();

  function want(city: City, status: CityStatus): void {
    const key = keyOf(city);
    const present = written.get(key) ?? city.status ?? {};
    if (isDeepStrictEqual(present, status)) {
      urgent.delete(key);
      progress.delete(key);
      return;
    }
    const isUrgent = !isDeepStrictEqual(withoutProgress(present), withoutProgress(status));
    if (isUrgent) progress.delete(key);
    if (isUrgent || urgent.has(key)) urgent.set(key, { city, status });
    else progress.set(key, { city, status });
    wake.resolve();
  }

  async function write(
    key: string,
    { city, status }: { city: City; status: CityStatus },
    signal: AbortSignal,
  ) {
    const { name, namespace } = city.metadata;
    // In a merge patch what is left out stays, so what is absent must be said.
    const patch = {
      status: { ...status, assignment: status.assignment ?? null, progress: status.progress ?? null },
    };
    try {
      const ref = { name, ...(namespace === undefined ? {} : { namespace }) };
      await client.patch<City>(resource, ref, patch, signal, { subresource: "status" });
      written.set(key, status);
    } catch (error) {
      if (signal.aborted) return;
      if (!isOperational(error)) throw error;
      written.delete(key);
      if (error.code === "kube-not-found") return;
      log.warn({ city: name, because: error.code, err: error }, "status not written");
      input.onFailed(city);
    }
  }

  async function take(
    queue: Map<string, { city: City; status: CityStatus }>,
    count: number,
    signal: AbortSignal,
  ): Promise<number> {
    const batch = [...queue.entries().take(count)];
    for (const [key] of batch) queue.delete(key);
    await Promise.all(batch.map(([key, entry]) => write(key, entry, signal)));
    return batch.length;
  }

  return {
    want,
    forget(city) {
      const key = keyOf(city);
      for (const map of [urgent, progress, written]) map.delete(key);
    },
    forgetAll: () => written.clear(),
    async run(signal, areActsWaiting) {
      const onAbort = (): void => wake.resolve();
      signal.addEventListener("abort", onAbort, { once: true });
      let allowance = 1;
      let refilledMs = clock.monotonicMs();
      while (!signal.aborted) {
        const nowMs = clock.monotonicMs();
        const perSecond = input.progressWritesPerSecond();
        allowance = Math.min(perSecond, allowance + ((nowMs - refilledMs) / 1_000) * perSecond);
        refilledMs = nowMs;
        if (urgent.size > 0) {
          const { max, whileActsWait } = URGENT_CONCURRENCY;
          await take(urgent, areActsWaiting() ? whileActsWait : max, signal);
        } else if (progress.size > 0 && allowance >= 1) {
          allowance -= await take(progress, Math.floor(allowance), signal);
        } else if (progress.size > 0) {
          await clock.sleep(1_000 / perSecond, signal).catch(() => undefined);
        } else {
          await wake.promise;
          wake = Promise.withResolvers<void>();
        }
      }
      signal.removeEventListener("abort", onAbort);
    },
  };
}

function keyOf(city: City): string {
  return city.metadata.uid ?? city.metadata.name;
}

function withoutProgress(status: CityStatus): Omit<CityStatus, "progress"> {
  const { progress: _progress, ...rest } = status;
  return rest;
}
