/**
 * What a person asked for until a time of his own: after it, it is as if it had never been written. Pure. Times are milliseconds
 * since 1970 on the operator's wall clock, since the time is a person's.
 */

/** Which worker is to hold the City, where it can. */
export type Pin = {
  /** The worker's id, or the name of its Pod. */
  readonly worker: string;
  /** RFC 3339. */
  readonly until: string;
};

/** Who decides in the place of the City's own dispatcher. */
export type DispatcherOverride = {
  readonly dispatcher: string;
  /** RFC 3339. */
  readonly until: string;
};

/** The worker that the City is pinned to; undefined: none, or not any more. */
export function pinnedWorkerOf(spec: { readonly pin?: Pin }, nowMs: number): string | undefined {
  return spec.pin !== undefined && isInForce(spec.pin, nowMs) ? spec.pin.worker : undefined;
}

/** Who decides now; undefined where an API server of an older schema does not say. */
export function dispatcherInForce(
  spec: { readonly dispatcher?: string; readonly dispatcherOverride?: DispatcherOverride },
  nowMs: number,
): string | undefined {
  const { dispatcher, dispatcherOverride } = spec;
  return dispatcherOverride !== undefined && isInForce(dispatcherOverride, nowMs)
    ? dispatcherOverride.dispatcher
    : dispatcher;
}

export function isInForce({ until }: { readonly until: string }, nowMs: number): boolean {
  return nowMs < Date.parse(until);
}

/** Whether a pin to `name` means this worker. */
export function isCalled(worker: { readonly id: string; readonly pod: string }, name: string): boolean {
  return worker.id === name || worker.pod === name;
}
