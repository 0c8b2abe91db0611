import type { DispatchParameters, DispatchResult, DispatchSnapshot } from "../dispatch/model.ts";
import type { OwnParameters } from "../dispatchers/own-dispatcher.ts";

/**
 * All that a tick was decided from and what came of it, so that it can be decided again. JSON, which drops fields that are
 * undefined and keeps every digit of a number; a person can read it with `zstd -dc`.
 */
export type TickRecord = {
  readonly format: typeof RECORD_FORMAT;
  readonly city: string;
  /** In decimal digits. */
  readonly tick: string;
  /** Of the worker that decided it. */
  readonly version: string;
  /** Who decided it, which is not whom the City named if that one failed. */
  readonly dispatcher: string;
  readonly parameters: DispatchParameters;
  readonly own: OwnParameters;
  readonly snapshot: DispatchSnapshot;
  /** How often the deadline answered "not yet" before it had passed; absent: it never passed. */
  readonly deadlineChecks?: number | undefined;
  /** Its decisions are those that the validator accepted. */
  readonly result: DispatchResult;
};

export const RECORD_FORMAT = 1;

/** What the main thread tells of a tick that is to be recorded. */
export type RecordHead = Pick<TickRecord, "city" | "tick" | "version">;

export function encodeRecord(record: Omit<TickRecord, "format">): Uint8Array<ArrayBuffer> {
  const whole: TickRecord = { format: RECORD_FORMAT, ...record };
  return new TextEncoder().encode(JSON.stringify(whole));
}

/** Throws a SyntaxError for what is no JSON, and a RangeError for what is no record of this format. */
export function decodeRecord(text: string): TickRecord {
  const record = JSON.parse(text) as Partial<TickRecord> | null;
  if (record?.format === RECORD_FORMAT) return record as TickRecord;
  throw new RangeError(
    `no record of a tick in format ${RECORD_FORMAT}: record the tick anew with this version`,
  );
}

/** Whether a tick is one of the City's `recordPercent`, spread evenly over all ticks. */
export function isRecorded(tick: bigint, percent: number): boolean {
  const share = BigInt(percent);
  return (tick * share) / 100n !== ((tick - 1n) * share) / 100n;
}
