import type { Database } from "./pool.ts";
import { textOrUndefined } from "./rows.ts";

/** Why a committed tick decided as it did, as it is kept for a while beside the ledger. */
export type TickExplanation = {
  readonly city: string;
  readonly tick: bigint;
  /** Under which the tick was committed. */
  readonly commitId: string;
  /** Who decided it. */
  readonly dispatcher: string;
  /** How many explanations are missing for their size. */
  readonly leftOut: number;
  /** zstd. */
  readonly explanations: Buffer;
  /** zstd; undefined: the tick is not recorded. */
  readonly record: Buffer | undefined;
};

/** `no-tick`: the ledger does not have that tick under that commit id (any more). Errors: those of Database. */
export async function keepExplanation(
  database: Database,
  explanation: TickExplanation,
  signal: AbortSignal,
): Promise<"kept" | "no-tick"> {
  const { city, tick, commitId, dispatcher, leftOut, explanations, record = null } = explanation;
  const [rows] = await database.call(
    "CALL keep_explanation(?, ?, ?, ?, ?, ?, ?)",
    [city, tick, commitId, dispatcher, leftOut, explanations, record],
    signal,
  );
  return textOrUndefined(rows?.[0]?.["outcome"]) === "kept" ? "kept" : "no-tick";
}

/** Forgets the oldest ones beyond `keepMs`, at most `rowsMax`, and returns how many. Errors: those of Database. */
export async function pruneExplanations(
  database: Database,
  { keepMs, rowsMax }: { readonly keepMs: number; readonly rowsMax: number },
  signal: AbortSignal,
): Promise<number> {
  const [rows] = await database.call("CALL prune_explanations(?, ?)", [keepMs, rowsMax], signal);
  return Number(rows?.[0]?.["pruned"]);
}
