import type { DispatchQuestion, DispatchVerdict } from "../dispatchers/decide.ts";
import type { RecordHead } from "../records/record.ts";
import type { EncodedSnapshot } from "./snapshot-codec.ts";

/** What a dispatch thread is started with. */
export type DispatchThreadData = {
  /** The folder of the company's own dispatchers; undefined: none. */
  readonly dispatchers: string | undefined;
};

/** What the main thread posts to a dispatch thread, one at a time. */
export type DispatchRequest = DispatchQuestion & {
  /** What the record of the tick is to say of it; undefined: it is not recorded. */
  readonly record: RecordHead | undefined;
  readonly snapshot: EncodedSnapshot;
  /** From now: a monotonic clock reading means nothing in another thread. */
  readonly remainingMs: number;
};

/** The explanations are text already: the main thread passes them on as they are. */
export type DispatchAnswer = Omit<DispatchVerdict, "result" | "deadlineChecks"> &
  Pick<DispatchVerdict["result"], "decisions" | "degraded" | "gap"> & {
    /** See `encodeExplanations`. Empty: nothing is to be kept. */
    readonly explanations: Uint8Array<ArrayBuffer>;
    readonly leftOut: number;
    /** See `encodeRecord`. */
    readonly record: Uint8Array<ArrayBuffer> | undefined;
    /** How long the thread was at each, in milliseconds; of all dispatchers that were asked. */
    readonly tookMs: { readonly dispatch: number; readonly validate: number };
  };

/** Posted once, when the thread has loaded and takes requests. */
export const READY = "ready";

export type DispatchMessage = DispatchAnswer | typeof READY;
