import { isOperational } from "./errors.ts";
import type { Log } from "./log.ts";

/** The part of `process` that tells of signals. */
export type SignalSource = { on(signal: "SIGTERM" | "SIGINT", listener: () => void): unknown };

/** The first SIGTERM or SIGINT asks for an orderly end (`draining`), a second one for an immediate one (`stopping`). */
export function shutdownSignals(
  source: SignalSource,
  log: Log,
): { readonly draining: AbortSignal; readonly stopping: AbortSignal } {
  const draining = new AbortController();
  const stopping = new AbortController();
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    source.on(signal, () => {
      const first = !draining.signal.aborted;
      log.info({ because: signal }, first ? "shutdown requested" : "immediate shutdown requested");
      (first ? draining : stopping).abort(new Error(`received ${signal}`));
    });
  }
  return { draining: draining.signal, stopping: stopping.signal };
}

/** The part of `process` that a main ends through. */
export type ExitTarget = {
  readonly stderr: { write(text: string): unknown };
  exit(code: number): unknown;
};

/** What a person should read of a failure: a sentence for what the outside world did, the stack of a mistake of ours. */
export function failureText(error: unknown): string {
  if (isOperational(error)) return error.message;
  return Error.isError(error) ? (error.stack ?? error.message) : String(error);
}

/** Ends the process with code 1 when its main failed. */
export function exitOnFailure(target: ExitTarget, running: Promise<void>): void {
  running.catch((error: unknown) => {
    target.stderr.write(`${failureText(error)}\n`);
    target.exit(1);
  });
}
