import type { DispatcherFailure } from "../../db/dispatcher-failure.ts";
import type { Deadline, DispatchParameters, DispatchResult, DispatchSnapshot } from "../dispatch/model.ts";
import { validateDecisions, type Validation } from "../dispatch/validate.ts";
import { checkResult } from "./check-result.ts";
import type { LoadDispatcher, LoadedDispatcher } from "./load.ts";
import type { OwnParameters } from "./own-dispatcher.ts";

export type DispatchQuestion = {
  /** By name; the next one is asked when the one before fails. */
  readonly dispatchers: readonly string[];
  readonly parameters: DispatchParameters;
  readonly own: OwnParameters;
};

/** What the dispatchers made of a question: the result of the first that gave one, as far as the validator lets it pass. */
export type DispatchVerdict = {
  readonly by: string;
  /** Its decisions are those that the validator accepted. */
  readonly result: DispatchResult;
  readonly refused: Validation["refused"];
  /** Of those that were asked before it. */
  readonly failures: readonly FailedDispatcher[];
  /** How often the deadline answered "not yet" to it before it had passed; undefined: it never passed. */
  readonly deadlineChecks: number | undefined;
};

export type FailedDispatcher = {
  readonly dispatcher: string;
  readonly because: DispatcherFailure;
  /** For the person who wrote it. */
  readonly message: string;
};

/** Runs one stage of a decision; for whoever wants to know how long each takes. */
export type RunStage = <Result>(stage: "dispatch" | "validate", work: () => Result) => Result;

type Attempt = Pick<DispatchVerdict, "result" | "refused" | "deadlineChecks">;

/**
 * Asks the dispatchers one after the other. The last one has nobody behind it: what it throws is thrown, and of its decisions
 * those count that pass, be it none.
 *
 * `readSnapshot` gives a fresh copy at every call: a dispatcher that changes its input must not decide what the validator
 * sees.
 */
export async function decide(
  question: DispatchQuestion,
  readSnapshot: () => DispatchSnapshot,
  load: LoadDispatcher,
  deadline: Deadline,
  runStage: RunStage = (_stage, work) => work(),
): Promise<DispatchVerdict> {
  const failures: FailedDispatcher[] = [];
  for (const [index, name] of question.dispatchers.entries()) {
    const isLast = index === question.dispatchers.length - 1;
    const loaded = await load(name);
    const attempt =
      loaded.kind === "failed"
        ? { because: loaded.because, message: loaded.message }
        : attemptWith(loaded, question, { readSnapshot, deadline, isLast, runStage });
    if (!("because" in attempt)) return { by: name, failures, ...attempt };
    failures.push({ dispatcher: name, because: attempt.because, message: attempt.message });
  }
  throw new Error(failures.map(({ dispatcher, message }) => `${dispatcher}: ${message}`).join("; "));
}

function attemptWith(
  { dispatcher, isBuiltIn }: LoadedDispatcher,
  { parameters, own }: DispatchQuestion,
  {
    readSnapshot,
    deadline,
    isLast,
    runStage,
  }: {
    readonly readSnapshot: () => DispatchSnapshot;
    readonly deadline: Deadline;
    readonly isLast: boolean;
    readonly runStage: RunStage;
  },
): Attempt | Pick<FailedDispatcher, "because" | "message"> {
  const counted = countChecks(deadline);
  const snapshot = readSnapshot();
  let answer: unknown;
  try {
    answer = runStage("dispatch", () => dispatcher(snapshot, parameters, counted, own));
  } catch (error) {
    if (isLast) throw error;
    return {
      because: "threw",
      message: Error.isError(error) ? (error.stack ?? error.message) : String(error),
    };
  }
  let result: DispatchResult;
  try {
    result = isBuiltIn ? (answer as DispatchResult) : checkResult(answer);
  } catch (error) {
    return { because: "malformed", message: Error.isError(error) ? error.message : String(error) };
  }
  const untouched = isBuiltIn ? snapshot : readSnapshot();
  const { accepted, refused } = runStage("validate", () =>
    validateDecisions(untouched, parameters, result.decisions),
  );
  if (!isLast && accepted.length === 0 && refused.length > 0) {
    const [first] = refused;
    return {
      because: "refused",
      message: `the validator refused all of its ${refused.length} decisions, the first because: ${first?.because}`,
    };
  }
  return { result: { ...result, decisions: accepted }, refused, deadlineChecks: counted.checks() };
}

/** A deadline that passed stays passed, and is told by a count, which a replay can repeat. */
function countChecks(deadline: Deadline): Deadline & { checks(): number | undefined } {
  let count = 0;
  let hasPassed = false;
  return {
    hasPassed() {
      hasPassed ||= deadline.hasPassed();
      if (!hasPassed) count++;
      return hasPassed;
    },
    checks: () => (hasPassed ? count : undefined),
  };
}
