import type { FencingToken } from "../crds/token.ts";
import { withDeadline } from "../runtime/abort.ts";
import { backoffMs } from "../runtime/backoff.ts";
import type { Clock } from "../runtime/clock.ts";
import { assert, isOperational, OperationalError } from "../runtime/errors.ts";
import type { Log } from "../runtime/log.ts";
import { degradedCode, type DispatcherFailure } from "./dispatcher-failure.ts";
import { surelyChangedNothing } from "./database-error.ts";
import type { Database, Row } from "./pool.ts";
import { bigintOf, numberOrUndefined, parsedJson, textOrUndefined } from "./rows.ts";

/** The one door to committing: claim a city, then commit its ticks. */

export type ClaimRequest = {
  readonly city: string;
  readonly clusterUid: string;
  /** In which the Lease was written: a token of another epoch claims nothing. */
  readonly epoch: bigint;
  readonly token: FencingToken;
  /** The worker's identity, distinct per process. */
  readonly holder: string;
};

export type ClaimOutcome =
  | {
      readonly kind: "claimed";
      readonly epoch: bigint;
      /** Number of the last committed tick, 0 when there is none. */
      readonly tick: bigint;
      /** Scheduled start of that tick. */
      readonly slotMs: number | undefined;
      /** The period under which that tick ran. */
      readonly periodMs: number | undefined;
      /** Under which that tick was committed. */
      readonly commitId: string | undefined;
      readonly databaseTimeMs: number;
    }
  /** A larger token is at the fence, this one was used to seal it, or it is of another epoch than the authority's. */
  | { readonly kind: "behind" }
  /** The database takes tokens from another cluster. */
  | { readonly kind: "foreign" };

export type DecisionRow = {
  readonly order: string;
  readonly courier: string;
  /** Which door of the courier's bundle is the order's: 1, 2, 3. */
  readonly stop: number;
  /** The courier who has the order; undefined: nobody. */
  readonly from: string | undefined;
};

export type CommitRequest = {
  readonly city: string;
  readonly epoch: bigint;
  readonly token: FencingToken;
  readonly tick: bigint;
  /** A UUID, chosen once for this commit. */
  readonly commitId: string;
  /** That of the tick it builds on, as the claim or the last commit told it; undefined for the first tick. */
  readonly previousCommitId: string | undefined;
  readonly slotMs: number;
  readonly periodMs: number;
  /** The tick that the snapshot showed. */
  readonly snapshotTick: bigint;
  readonly degraded: boolean;
  /** Why the City's own dispatcher did not decide it; undefined: it did. */
  readonly dispatcherFailure?: DispatcherFailure | undefined;
  readonly decisions: readonly DecisionRow[];
};

/** `because`: as `apply-decisions.sql` lists them, or what a company's own procedure says. */
export type DroppedDecision = {
  readonly order: string;
  readonly courier: string;
  readonly because: string;
};

export type CommitOutcome =
  | { readonly kind: "committed"; readonly dropped: readonly DroppedDecision[] }
  /** A later holder has claimed the city, or it was sealed: this tenure is over and must not write again. */
  | { readonly kind: "fenced" }
  /** The tick is in under another commit id, or one that it builds on was lost: claim again and reload. */
  | { readonly kind: "outpaced" }
  /** The statement was sent and no answer came in time: claim again, and the returned tick tells. */
  | { readonly kind: "unknown"; readonly cause: unknown };

export type Fence = {
  /** Once, without repetition: claiming again is the tenure's to decide. Errors: those of Database. */
  claim(request: ClaimRequest, signal: AbortSignal): Promise<ClaimOutcome>;
  /**
   * Repeats the same call with the same commit id until there is an answer or the signal aborts. Throws an error of
   * Database, or the signal's reason, only when the commit surely has not happened and never will.
   */
  commit(request: CommitRequest, signal: AbortSignal): Promise<CommitOutcome>;
};

const CLAIM = "CALL claim_city(?, ?, ?, ?, ?)";
const COMMIT = "CALL commit_tick(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
const REPEAT_BACKOFF = { firstMs: 20, maxMs: 250 };
/** The first attempt's limit; each further one has twice as long, so that a server that is merely slow gets there. */
const ATTEMPT_LIMIT_MS = 1_000;
const ATTEMPT_LIMIT_MAX_MS = 60_000;
/** A migration replaces a procedure within milliseconds; one that is missing for longer is missing. */
const REPLACEMENT_LIMIT_MS = 1_000;

export function createFence(input: {
  readonly database: Database;
  readonly clock: Clock;
  /** 0 ≤ x < 1; spreads the repetitions of many cities. */
  readonly random?: () => number;
  readonly log?: Log;
}): Fence {
  const { database, clock, log, random = Math.random } = input;

  async function attemptCommit(
    values: Parameters<Database["call"]>[1],
    attempt: number,
    signal: AbortSignal,
    onSend: () => void,
  ): Promise<CommitOutcome> {
    const limitMs = Math.min(ATTEMPT_LIMIT_MAX_MS, ATTEMPT_LIMIT_MS * 2 ** Math.min(attempt, 10));
    return await withDeadline({ clock, what: "the answer to a commit", limitMs, signal }, async (limited) =>
      commitOutcome(onlyRow(await database.call(COMMIT, values, limited, onSend))),
    );
  }

  return {
    async claim({ city, clusterUid, epoch, token, holder }, signal) {
      return claimOutcome(
        onlyRow(await database.call(CLAIM, [city, clusterUid, epoch, token, holder], signal)),
      );
    },

    async commit(request, signal) {
      const values = commitValues(request);
      const startedMs = clock.monotonicMs();
      // What is known, in three steps. Nothing sent yet: nothing can have happened. Sent once without an answer: it is in
      // doubt, and stays so whatever later attempts meet on their way, because that packet may still arrive. Any
      // answer settles it: the procedure finds the commit id in its ledger if an earlier attempt went through, and after
      // `fenced` or `outpaced` an earlier attempt that arrives late finds the same fence and changes nothing.
      let isInDoubt = false;
      for (let attempt = 0; ; attempt++) {
        let wasSent = false;
        try {
          return await attemptCommit(values, attempt, signal, () => {
            wasSent = true;
          });
        } catch (error) {
          if (!isOperational(error) && !signal.aborted) throw error;
          const isFinalNo = isOperational(error) && surelyChangedNothing(error);
          if (wasSent && !isFinalNo) isInDoubt = true;
          if (!isInDoubt && !mayRepeat(error, clock.monotonicMs() - startedMs)) throw error;
          if (signal.aborted) return unknownOrThrow(isInDoubt, error);
          log?.warn(
            { city: request.city, tick: String(request.tick), attempt, because: codeOf(error), err: error },
            "commit repeated",
          );
          try {
            await clock.sleep(backoffMs(REPEAT_BACKOFF, attempt, random), signal);
          } catch {
            return unknownOrThrow(isInDoubt, error);
          }
        }
      }
    },
  };
}

/** For an error before which nothing was in doubt. */
function mayRepeat(error: unknown, sinceMs: number): boolean {
  if (!isOperational(error)) return false;
  if (error.remedy === "retry") return true;
  const isBeingReplaced = error.code === "database-schema" || error.code === "database-denied";
  return isBeingReplaced && sinceMs < REPLACEMENT_LIMIT_MS;
}

function unknownOrThrow(isInDoubt: boolean, error: unknown): CommitOutcome {
  if (isInDoubt) return { kind: "unknown", cause: error };
  throw error;
}

function codeOf(error: unknown): string {
  return error instanceof OperationalError ? error.code : "aborted";
}

function commitValues(request: CommitRequest): Parameters<Database["call"]>[1] {
  return [
    request.city,
    request.epoch,
    request.token,
    request.tick,
    request.commitId,
    request.previousCommitId ?? null,
    request.slotMs,
    request.periodMs,
    request.snapshotTick,
    degradedCode(request.degraded, request.dispatcherFailure),
    JSON.stringify(request.decisions.map(decisionJson)),
  ];
}

function decisionJson({ order, courier, stop, from }: DecisionRow): unknown {
  return { order, courier, stop, from: from ?? null };
}

function onlyRow(results: readonly (readonly Row[])[]): Row {
  const row = results[0]?.[0];
  assert(row !== undefined, "a procedure of the protocol returned no row");
  return row;
}

function claimOutcome(row: Row): ClaimOutcome {
  switch (row["outcome"]) {
    case "claimed":
      return {
        kind: "claimed",
        epoch: bigintOf(row["epoch"]),
        tick: bigintOf(row["tick"]),
        slotMs: numberOrUndefined(row["slot_ms"]),
        periodMs: numberOrUndefined(row["period_ms"]),
        commitId: textOrUndefined(row["commit_id"]),
        databaseTimeMs: Number(row["database_time_ms"]),
      };
    case "behind":
    case "foreign":
      return { kind: row["outcome"] };
    default:
      throw new TypeError(`claim_city answered ${JSON.stringify(row)}`);
  }
}

function commitOutcome(row: Row): CommitOutcome {
  switch (row["outcome"]) {
    case "committed":
    case "repeated":
      return { kind: "committed", dropped: (parsedJson(row["dropped"]) ?? []) as DroppedDecision[] };
    case "fenced":
    case "outpaced":
      return { kind: row["outcome"] };
    default:
      throw new TypeError(`commit_tick answered ${JSON.stringify(row)}`);
  }
}
