/**
 * Why a City's dispatcher did not decide a tick, so that another one did. It goes into the ledger and the fence row as a
 * number beside the two older values of `degraded`: 0 no, 1 yes. Numbers are never given anew: old rows keep their meaning.
 */

export const DISPATCHER_FAILURES = [
  /** No dispatcher of that name is known to the worker. */
  "unknown",
  /** Its module could not be loaded, or exports no dispatcher. */
  "not-loaded",
  "threw",
  /** It answered something that is no DispatchResult. */
  "malformed",
  /** The validator refused every one of its decisions. */
  "refused",
  /** It did not return long after its deadline: its thread was terminated. */
  "overran",
  /** Its thread ended, by running out of memory for example. */
  "crashed",
] as const;

export type DispatcherFailure = (typeof DISPATCHER_FAILURES)[number];

const FIRST_CODE = 2;

/** What `degraded` says in the database. */
export function degradedCode(isDegraded: boolean, failure: DispatcherFailure | undefined): number {
  return failure === undefined ? Number(isDegraded) : FIRST_CODE + DISPATCHER_FAILURES.indexOf(failure);
}

/** Undefined: none, or one that a later version knows. */
export function dispatcherFailureOf(degraded: unknown): DispatcherFailure | undefined {
  return DISPATCHER_FAILURES[Number(degraded ?? 0) - FIRST_CODE];
}
