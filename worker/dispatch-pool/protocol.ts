import type { DispatchParameters, DispatchResult, DispatchSnapshot } from "../dispatch/model.ts";

/** What the main thread posts to a dispatch thread, one at a time; the answer is a DispatchResult. */
export type DispatchRequest = {
  readonly snapshot: DispatchSnapshot;
  readonly parameters: DispatchParameters;
  /** From now: a monotonic clock reading means nothing in another thread. */
  readonly remainingMs: number;
};

export type DispatchAnswer = DispatchResult;
