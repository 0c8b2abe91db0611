import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { OperationalError } from "../../runtime/errors.ts";
import { startChild } from "../process/child.ts";
import { firstChildOf, identify, isAlive, type ProcessIdentity } from "../process/identity.ts";

/**
 * Network, mounts and processes of one local cluster, apart from the machine's. The kernel ends all of it when the anchor
 * ends, the first process inside, whatever has become of us: no container, mount, interface or rule can be left behind.
 */
export type Enclosure = {
  readonly anchor: ProcessIdentity;
  /** Starts a program inside; its signals reach the program itself. */
  readonly start: typeof startChild;
};

const SCRIPT = join(import.meta.dirname, "enclosure.sh");
const READY_LIMIT_MS = 20_000;
const END_LIMIT_MS = 30_000;
const POLL_MS = 20;

/**
 * `address`: what the cluster's node is known by inside. `pause`: a program that does nothing but wait and reap
 * (catatonit -P). `endsWithUs`: whether the end of this process, however sudden, ends the enclosure.
 * Errors: `cluster-enclosure`.
 */
export async function openEnclosure(input: {
  readonly directory: string;
  readonly address: string;
  readonly pause: string;
  /** Files into which every program that is started inside writes its process id first. */
  readonly cgroupEntrances: readonly string[];
  readonly endsWithUs: boolean;
}): Promise<Enclosure> {
  const { directory, address, pause } = input;
  const unshare = ["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "--"];
  const inside = ["sh", SCRIPT, directory, address, pause];
  const mortal = input.endsWithUs ? ["setpriv", "--pdeathsig", "KILL"] : [];
  const [command = "", ...args] = [...mortal, ...unshare, ...inside];
  const logFile = join(directory, "log", "enclosure.log");
  const child = startChild({ name: "enclosure", command, args, logFile });
  const deadlineMs = performance.now() + READY_LIMIT_MS;
  while (!existsSync(join(directory, "enclosed"))) {
    if (child.hasExited() || performance.now() > deadlineMs) {
      await child.stop({ signal: "SIGKILL" });
      const log = await readFile(logFile, "utf8").catch(() => "");
      throw new OperationalError({
        code: "cluster-enclosure",
        remedy: "give-up",
        message: `the cluster's namespaces could not be made; ${logFile}:\n${log.trim()}`,
      });
    }
    await sleep(POLL_MS);
  }
  const pid = firstChildOf(child.pid);
  const anchor = pid === undefined ? undefined : identify(pid);
  if (anchor === undefined) throw new Error("the first process of the cluster's namespaces has ended");
  return {
    anchor,
    start: (program) =>
      startChild({
        ...program,
        command: "sh",
        args: [
          "-c",
          joining(input.cgroupEntrances),
          "nsenter",
          ...entering(anchor),
          program.command,
          ...program.args,
        ],
        receiver: (starter) => firstChildOf(starter) ?? starter,
      }),
  };
}

/** A script that joins control groups and becomes the command that it is given, with its arguments, from "$0" on. */
function joining(entrances: readonly string[]): string {
  const joins = entrances.map((file) => `echo $$ >'${file}'`);
  return [...joins, 'exec "$0" "$@"'].join(" && ");
}

/** What nsenter is told, before the command that shall run inside. */
export function entering({ pid }: ProcessIdentity): readonly string[] {
  return ["--target", String(pid), "--net", "--mount", "--pid", "--"];
}

/** Runs a command inside to its end. Returns what it printed; rejects with what it said when it fails. */
export async function runInside(
  anchor: ProcessIdentity,
  command: readonly string[],
  limitMs: number,
): Promise<string> {
  const { stdout } = await promisify(execFile)("nsenter", [...entering(anchor), ...command], {
    timeout: limitMs,
    killSignal: "SIGKILL",
  });
  return stdout;
}

/** Ends everything inside, and returns when nothing of it runs any more. */
export async function endEnclosure(anchor: ProcessIdentity): Promise<void> {
  if (isAlive(anchor)) process.kill(anchor.pid, "SIGKILL");
  // The kernel lets the first process go only after all others of its namespace.
  const deadlineMs = performance.now() + END_LIMIT_MS;
  while (isAlive(anchor)) {
    if (performance.now() > deadlineMs) throw new Error(`process ${anchor.pid} did not end on SIGKILL`);
    await sleep(POLL_MS);
  }
}
