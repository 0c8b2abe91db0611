import type { Clock } from "./clock.ts";
import { OperationalError } from "./errors.ts";

/** Helpers around AbortSignal: every wait in this product takes one, and every deadline has a typed reason. */

export class DeadlineExceeded extends OperationalError {
  constructor(what: string, limitMs: number) {
    super({ code: "deadline-exceeded", remedy: "retry", message: `${what} took longer than ${limitMs} ms` });
  }
}

/**
 * Runs `work` under the caller's signal and a deadline of `limitMs`; the signal given to `work` aborts with a
 * DeadlineExceeded when time is up. `work` itself must end when its signal aborts.
 */
export async function withDeadline<Result>(
  input: {
    readonly clock: Clock;
    readonly what: string;
    readonly limitMs: number;
    readonly signal: AbortSignal;
  },
  work: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const deadline = childOf(input.signal);
  const cancel = input.clock.schedule(input.limitMs, () => {
    deadline.abort(new DeadlineExceeded(input.what, input.limitMs));
  });
  try {
    return await work(deadline.signal);
  } finally {
    cancel();
    deadline.release();
  }
}

/** A signal that aborts with its parent, or before. */
export type ChildSignal = {
  readonly signal: AbortSignal;
  abort(reason: Error): void;
  /** To be called when nobody waits for the signal any more: the parent then forgets it. */
  release(): void;
};

/**
 * For short waits under a parent that lives long. `AbortSignal.any` would leave a weak reference in the parent for each,
 * until the garbage collector comes by.
 */
export function childOf(parent: AbortSignal): ChildSignal {
  const child = new AbortController();
  const onAbort = (): void => child.abort(parent.reason);
  if (parent.aborted) onAbort();
  else parent.addEventListener("abort", onAbort, { once: true });
  return {
    signal: child.signal,
    abort: (reason) => child.abort(reason),
    release: () => parent.removeEventListener("abort", onAbort),
  };
}

/** Rejects with the signal's reason when it aborts first; for promises that take no signal themselves. */
export async function abortable<Result>(promise: Promise<Result>, signal: AbortSignal): Promise<Result> {
  if (signal.aborted) {
    // Nobody waits for it any more, and its failure must not count as unhandled.
    promise.catch(() => undefined);
    throw signal.reason;
  }
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const onAbort = (): void => {
    reject(signal.reason as Error);
  };
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

/** Resolves when the signal aborts. */
export async function onceAborted(signal: AbortSignal): Promise<undefined> {
  if (signal.aborted) return undefined;
  const { promise, resolve } = Promise.withResolvers<undefined>();
  signal.addEventListener(
    "abort",
    () => {
      resolve(undefined);
    },
    { once: true },
  );
  return await promise;
}
