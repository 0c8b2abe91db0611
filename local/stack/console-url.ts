import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/** Where an operator that was started with `CONSOLE=on` and `CONSOLE_PORT=0` serves its console: its log has the port. */

const POLL_MS = 100;

/** Waits until it is served. Rejects with the signal's reason. */
export async function awaitConsoleUrl(
  { directory, operator }: { readonly directory: string; readonly operator: string },
  signal: AbortSignal,
): Promise<string> {
  for (;;) {
    const log = await readFile(join(directory, "log", `${operator}.log`), "utf8").catch(() => "");
    const line = log.split("\n").find((candidate) => candidate.includes('"console served"'));
    if (line !== undefined) {
      const { port } = JSON.parse(line) as { readonly port: number };
      return `http://127.0.0.1:${port}/`;
    }
    await sleep(POLL_MS, undefined, { signal });
  }
}
