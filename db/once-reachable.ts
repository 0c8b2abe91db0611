import type { Clock } from "../runtime/clock.ts";
import { isOperational, OperationalError } from "../runtime/errors.ts";

const INTERVAL_MS = 1_000;
const MESSAGE_INTERVAL_MS = 15_000;

/**
 * Repeats `work` for as long as the database is away, up to `limitMs`, and says so: at once, and then every 15 s. What is
 * wrong in another way (credentials, say) is thrown as it is.
 */
export async function onceReachable<Result>(
  input: { readonly clock: Clock; readonly limitMs: number; readonly progress: (line: string) => void },
  work: () => Promise<Result>,
  signal: AbortSignal,
): Promise<Result> {
  const { clock, limitMs, progress } = input;
  const startedMs = clock.monotonicMs();
  let toldMs = -Infinity;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (signal.aborted || !isOperational(error) || error.remedy !== "retry") throw error;
      const nowMs = clock.monotonicMs();
      if (nowMs - startedMs >= limitMs) throw limitMs === 0 ? error : tooLate(limitMs, error);
      if (nowMs - toldMs >= MESSAGE_INTERVAL_MS) {
        const leftSeconds = Math.ceil((startedMs + limitMs - nowMs) / 1_000);
        progress(`waiting for the database, ${leftSeconds} s more: ${error.message}`);
        toldMs = nowMs;
      }
    }
    await clock.sleep(INTERVAL_MS, signal);
  }
}

function tooLate(limitMs: number, cause: OperationalError): OperationalError {
  return new OperationalError({
    code: cause.code,
    remedy: "give-up",
    message: `the database was away for ${limitMs / 1_000} s: ${cause.message}`,
    cause,
  });
}
