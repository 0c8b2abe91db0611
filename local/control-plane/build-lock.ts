import { readFile, rm, stat, writeFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";

/** One build at a time: two at once would take twice as long and the memory of both. */

const POLL_INTERVAL_MS = 500;
const MESSAGE_INTERVAL_MS = 15_000;
/** A lock file without a readable process id is one that is just being written, unless it stays so for this long. */
const UNREADABLE_LIMIT_MS = 5_000;

/**
 * Runs `work` while holding the lock file, which names its holder's process id; a holder that has ended no longer counts.
 * Two processes that find the same dead holder in the same instant may both go on: results are put in place by renaming,
 * so that costs time and nothing else.
 */
export async function withBuildLock(
  input: { readonly file: string; readonly progress: (line: string) => void },
  signal: AbortSignal,
  work: () => Promise<void>,
): Promise<void> {
  let toldMs = Number.NEGATIVE_INFINITY;
  while (!(await create(input.file))) {
    const holder = await readHolder(input.file);
    if (holder === "ended") {
      await rm(input.file, { force: true });
      continue;
    }
    if (performance.now() - toldMs >= MESSAGE_INTERVAL_MS) {
      input.progress(`waiting for another build on this machine (${input.file})`);
      toldMs = performance.now();
    }
    await sleep(POLL_INTERVAL_MS, undefined, { signal });
  }
  try {
    await work();
  } finally {
    await rm(input.file, { force: true });
  }
}

async function create(file: string): Promise<boolean> {
  try {
    await writeFile(file, String(process.pid), { flag: "wx" });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

async function readHolder(file: string): Promise<"building" | "ended"> {
  try {
    const pid = Number(await readFile(file, "utf8"));
    if (Number.isInteger(pid) && pid > 0) return isAlive(pid) ? "building" : "ended";
    const { mtimeMs } = await stat(file);
    return Date.now() - mtimeMs > UNREADABLE_LIMIT_MS ? "ended" : "building";
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return "ended";
    throw error;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // Someone else's process may not be signalled, but it is there.
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
