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
