import type { Log } from "../../runtime/log.ts";

export type LogEntry = Readonly<Record<string, unknown>> & {
  readonly level: "debug" | "info" | "warn" | "error";
  readonly message: string;
};

/** A log that a test can read: the entries in order, with the fields of the loggers they came through. */
export function recordingLog(): { readonly log: Log; readonly entries: readonly LogEntry[] } {
  const entries: LogEntry[] = [];
  const logOf = (inherited: Readonly<Record<string, unknown>>): Log => {
    const at =
      (level: LogEntry["level"]) =>
      (fields: unknown, message?: string): void => {
        entries.push({ ...inherited, ...(fields as Record<string, unknown>), level, message: message ?? "" });
      };
    return {
      debug: at("debug"),
      info: at("info"),
      warn: at("warn"),
      error: at("error"),
      child: (fields) => logOf({ ...inherited, ...fields }),
    };
  };
  return { log: logOf({}), entries };
}
