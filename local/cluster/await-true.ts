import { readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { OperationalError } from "../../runtime/errors.ts";
import type { Child } from "../process/child.ts";

const POLL_MS = 100;
const LOG_TAIL_CHARACTERS = 2_000;

/**
 * Asks until the answer is yes. Errors: `cluster-start` when the time is up, or when one of the programs that are to bring
 * it about has ended, with the end of its log.
 */
export async function awaitTrue(
  input: { readonly what: string; readonly limitMs: number; readonly children: readonly Child[] },
  ask: () => Promise<boolean>,
): Promise<void> {
  const deadlineMs = performance.now() + input.limitMs;
  while (!(await ask())) {
    const ended = input.children.find((child) => child.hasExited());
    if (ended !== undefined || performance.now() > deadlineMs)
      throw await startFailure(input.what, ended, input.children);
    await sleep(POLL_MS);
  }
}

/** `ended`: who is to blame; undefined: the time was up. */
export async function startFailure(
  what: string,
  ended: Child | undefined,
  children: readonly Child[],
): Promise<OperationalError> {
  const because = ended === undefined ? "it took too long" : `${ended.name} ended`;
  const logs = await Promise.all(
    (ended === undefined ? children : [ended]).map(async ({ logFile }) => {
      const text = await readFile(logFile, "utf8").catch(() => "");
      return `the end of ${logFile}:\n${text.slice(-LOG_TAIL_CHARACTERS)}`;
    }),
  );
  return new OperationalError({
    code: "cluster-start",
    remedy: "give-up",
    message: `the local cluster has no ${what}: ${because}\n${logs.join("\n")}`,
  });
}
