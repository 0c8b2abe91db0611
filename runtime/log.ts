import { pino, type Logger } from "pino";

/**
 * The log of one process: JSON lines on standard error. The message is a constant phrase in the past tense; everything
 * variable is a field: city worker token tick slot decision because outcome attempt durationMs count err, and trace where it is traced.
 */
export type Log = Pick<Logger, "debug" | "info" | "warn" | "error"> & {
  child(fields: Record<string, unknown>): Log;
};

export function createLog(input: { readonly process: string; readonly level: string }): Log {
  return pino(
    {
      level: input.level,
      base: { process: input.process },
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
    },
    pino.destination({ fd: 2, sync: true }),
  );
}

/** For tests and tools that want silence. */
export const silentLog: Log = pino({ level: "silent" });
