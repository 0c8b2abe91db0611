import { promisify } from "node:util";
import { zstdCompress } from "node:zlib";
import { keepExplanation } from "../../db/explanations.ts";
import type { Database } from "../../db/pool.ts";
import { withDeadline } from "../../runtime/abort.ts";
import type { Clock } from "../../runtime/clock.ts";
import { isOperational } from "../../runtime/errors.ts";
import type { Log } from "../../runtime/log.ts";

/** What is to be kept of a tick that was just committed. */
export type ToKeep = {
  readonly city: string;
  readonly tick: bigint;
  readonly commitId: string;
  readonly dispatcher: string;
  readonly leftOut: number;
  readonly explanations: Uint8Array;
  readonly record: Uint8Array | undefined;
};

/** `dropped`: too many waited. `too-large`: the record was left out. `no-tick`: the ledger lost the tick. */
export type KeepOutcome = "kept" | "no-tick" | "dropped" | "too-large" | "failed";
export const KEEP_OUTCOMES: readonly KeepOutcome[] = ["kept", "no-tick", "dropped", "too-large", "failed"];

/**
 * Writes explanations and records after their ticks were committed, one at a time, as far as the database has time for it.
 * No tick waits for it, and whatever fails is counted and forgotten.
 */
export type Keeper = {
  keep(tick: ToKeep): void;
  /** Gives up what waits. */
  close(): Promise<void>;
};

const WAITING_BYTES_MAX = 64 * 1_048_576;
const WAITING_TICKS_MAX = 2_000;
const KEEP_LIMIT_MS = 5_000;
/** A column of 16 MiB, of which the statement's text needs twice as much. */
const RECORD_BYTES_MAX = 8 * 1_048_576;

const compress = promisify(zstdCompress);

export function createKeeper(input: {
  readonly database: Database;
  readonly clock: Clock;
  readonly log: Log;
  readonly count: (outcome: KeepOutcome) => void;
}): Keeper {
  const { database, clock, log, count } = input;
  const closing = new AbortController();
  const waiting: ToKeep[] = [];
  let waitingBytes = 0;
  let running: Promise<void> | undefined;
  let isFailing = false;

  async function write({ explanations, record, ...tick }: ToKeep): Promise<KeepOutcome> {
    // In libuv's threads, not in this one.
    const compressed = await compress(explanations);
    const recorded = record === undefined ? undefined : await compress(record);
    const isTooLarge = recorded !== undefined && recorded.length > RECORD_BYTES_MAX;
    const row = { ...tick, explanations: compressed, record: isTooLarge ? undefined : recorded };
    const outcome = await withDeadline(
      { clock, what: "the keeping of an explanation", limitMs: KEEP_LIMIT_MS, signal: closing.signal },
      (signal) => keepExplanation(database, row, signal),
    );
    return isTooLarge && outcome === "kept" ? "too-large" : outcome;
  }

  async function pump(): Promise<void> {
    for (let next = waiting.shift(); next !== undefined && !closing.signal.aborted; next = waiting.shift()) {
      waitingBytes -= bytesOf(next);
      try {
        count(await write(next));
        isFailing = false;
      } catch (error) {
        if (closing.signal.aborted) return;
        if (!isOperational(error)) throw error;
        count("failed");
        // Once per trouble: it comes with every tick of every city.
        if (!isFailing)
          log.warn({ city: next.city, because: error.code, err: error }, "explanations not kept");
        isFailing = true;
      }
    }
    running = undefined;
  }

  return {
    keep(tick) {
      const isFull = waiting.length >= WAITING_TICKS_MAX || waitingBytes + bytesOf(tick) > WAITING_BYTES_MAX;
      if (isFull || closing.signal.aborted) {
        count("dropped");
        return;
      }
      waiting.push(tick);
      waitingBytes += bytesOf(tick);
      running ??= pump();
    },
    async close() {
      closing.abort(new Error("the worker ended"));
      await running;
    },
  };
}

function bytesOf({ explanations, record }: ToKeep): number {
  return explanations.length + (record?.length ?? 0);
}
