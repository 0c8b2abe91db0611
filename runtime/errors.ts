/**
 * Expected outcomes are values; the outside world failing is an OperationalError, translated once at the edge where it is
 * first seen; our own mistakes are assertions, which end the process: the fence keeps the data safe.
 */

/**
 * `retry`: the same call may go through later. `refresh`: what the call was based on is out of date, read again first.
 * `give-up`: no repetition helps, a person must act.
 */
export type Remedy = "retry" | "refresh" | "give-up";

export class OperationalError extends Error {
  override readonly name = "OperationalError";
  /** Stable, for switches and metrics: "kube-conflict", "database-unreachable", … */
  readonly code: string;
  readonly remedy: Remedy;

  constructor(input: {
    readonly code: string;
    readonly remedy: Remedy;
    readonly message: string;
    readonly cause?: unknown;
  }) {
    super(input.message, input.cause === undefined ? undefined : { cause: input.cause });
    this.code = input.code;
    this.remedy = input.remedy;
  }
}

export function isOperational(error: unknown, code?: string): error is OperationalError {
  return error instanceof OperationalError && (code === undefined || error.code === code);
}

/** Something that our own code promised did not hold. Never caught to go on. */
export class AssertionError extends Error {
  override readonly name = "AssertionError";
}

export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new AssertionError(message);
}
