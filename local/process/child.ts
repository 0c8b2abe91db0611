import { spawn } from "node:child_process";
import { closeSync, mkdirSync, openSync } from "node:fs";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/** A program that this machine runs for a demo or a test, in a session of its own, with its output in one file. */
export type Child = {
  readonly name: string;
  readonly pid: number;
  readonly logFile: string;
  /** Resolves when the process has ended, however it ended. */
  readonly exited: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>;
  hasExited(): boolean;
  /** Sends one signal; quietly does nothing when the process has ended. */
  signal(signal: NodeJS.Signals): void;
  /** `signal` (SIGTERM by default), then SIGKILL after `graceMs`; resolves when the process has ended. */
  stop(options?: { readonly signal?: NodeJS.Signals; readonly graceMs?: number }): Promise<void>;
};

/** Starts a program detached from our terminal, so that Ctrl-C reaches only us and we decide the order of the end. */
export function startChild(input: {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
  readonly logFile: string;
  /**
   * The process that signals are for, of the one that was started: another one where the program starts the real one and
   * waits for it, as nsenter does. Asked for each signal.
   */
  readonly receiver?: (pid: number) => number;
}): Child {
  mkdirSync(dirname(input.logFile), { recursive: true });
  const log = openSync(input.logFile, "a");
  const child = spawn(input.command, [...input.args], {
    cwd: input.cwd,
    env: { ...process.env, ...input.env },
    detached: true,
    stdio: ["ignore", log, log],
  });
  closeSync(log);
  const { pid } = child;
  let ended = false;
  const exited = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) => {
    child.once("error", () => {
      ended = true;
      resolve({ code: null, signal: null });
    });
    child.once("exit", (code, signal) => {
      ended = true;
      resolve({ code, signal });
    });
  });
  if (pid === undefined) throw new Error(`${input.name}: cannot start ${input.command}`);

  const receiver = (): number => input.receiver?.(pid) ?? pid;
  const send = (signal: NodeJS.Signals): void => {
    if (ended) return;
    try {
      process.kill(receiver(), signal);
    } catch (error) {
      // It has just ended.
      if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
    }
  };
  return {
    name: input.name,
    get pid() {
      return receiver();
    },
    logFile: input.logFile,
    exited,
    hasExited: () => ended,
    signal: send,
    async stop({ signal = "SIGTERM", graceMs = 10_000 } = {}) {
      send(signal);
      // A stopped process does not see a SIGTERM until it goes on.
      send("SIGCONT");
      const timer = new AbortController();
      const overdue = sleep(graceMs, "overdue" as const, { signal: timer.signal }).catch(
        () => "ended" as const,
      );
      const first = await Promise.race([exited.then(() => "ended" as const), overdue]);
      timer.abort();
      if (first === "overdue") send("SIGKILL");
      await exited;
    },
  };
}
