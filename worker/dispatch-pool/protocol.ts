import type { DispatchParameters, DispatchResult, DispatchSnapshot } from "../dispatch/model.ts";

/** What the main thread posts to a dispatch thread, one at a time; the answer is a DispatchResult. */
export type DispatchRequest = {
  readonly snapshot: DispatchSnapshot;
  readonly parameters: DispatchParameters;
  /** From now: a monotonic clock reading means nothing in another thread. */
  readonly remainingMs: number;
};

/** Posted once, when the thread has loaded and takes requests. */
export const READY = "ready";

export type DispatchAnswer = DispatchResult | typeof READY;
