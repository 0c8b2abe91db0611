import type { Clock } from "./clock.ts";

/** Runs `work`, and tells how many seconds it took, however it ended. */
export async function timed<Result>(
  clock: Clock,
  tell: (seconds: number) => void,
  work: () => Promise<Result>,
): Promise<Result> {
  const startedMs = clock.monotonicMs();
  try {
    return await work();
  } finally {
    tell((clock.monotonicMs() - startedMs) / 1_000);
  }
}

/** What is asked of a server: each question is timed by its kind, and counted by its cause where it fails. */
export function measuring<Kind extends string, Failure extends string>(
  clock: Clock,
  metrics: {
    readonly duration: (kind: Kind, seconds: number) => void;
    readonly failures: (because: Failure) => void;
  },
  failureOf: (error: unknown) => Failure,
): <Result>(kind: Kind, asking: () => Promise<Result>) => Promise<Result> {
  return (kind, asking) =>
    timed(
      clock,
      (seconds) => metrics.duration(kind, seconds),
      async () => {
        try {
          return await asking();
        } catch (error) {
          metrics.failures(failureOf(error));
          throw error;
        }
      },
    );
}
