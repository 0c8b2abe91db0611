import { readFileSync } from "node:fs";

/** A process that is told from a later one under the same number, as a file can name it for another program. */
export type ProcessIdentity = {
  readonly pid: number;
  /** When it started, in clock ticks since the machine did. */
  readonly startTicks: string;
};

/** Undefined when there is no such process, or only its exit code is left of it. */
export function identify(pid: number): ProcessIdentity | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The name comes second, in parentheses, and may hold anything; the state and the start are fields 3 and 22.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const [state, startTicks] = [fields[0], fields[19]];
    const hasEnded = state === "Z" || state === "X";
    return hasEnded || startTicks === undefined ? undefined : { pid, startTicks };
  } catch {
    return undefined;
  }
}

export function isAlive(identity: ProcessIdentity): boolean {
  return identify(identity.pid)?.startTicks === identity.startTicks;
}

/** The first process that `pid` started and that has not been waited for; undefined when it has none. */
export function firstChildOf(pid: number): number | undefined {
  try {
    const [child] = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").split(" ");
    return child === undefined || child === "" ? undefined : Number(child);
  } catch {
    return undefined;
  }
}
