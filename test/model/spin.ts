import { existsSync } from "node:fs";
import { copyFile, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { cacheRoot } from "../../local/control-plane/binaries.ts";
import { downloadProgram } from "../../local/mysql/debian-download.ts";
import { runProgram } from "../../local/mysql/run-program.ts";
import { OperationalError } from "../../runtime/errors.ts";

/** Runs SPIN, the model checker, on `protocol.pml`: every reachable state, or the first violation. */

export type Verdict = {
  /** What SPIN found wrong; undefined: nothing, and it has looked at everything. */
  readonly violation: string | undefined;
  readonly states: number;
  readonly seconds: number;
};

const MODEL = join(import.meta.dirname, "protocol.pml");
const MEMORY_MB_MAX = 2_000;
const DEPTH_MAX = 100_000;

/** Path of a `spin`: the one on the PATH, else Debian's, fetched once into the cache. Errors: `spin-missing`, `gcc-missing`. */
export async function ensureSpin(progress: (line: string) => void, signal: AbortSignal): Promise<string> {
  if (onPath("gcc") === undefined) {
    throw missing("gcc-missing", "no gcc found, which SPIN compiles its checkers with: apt-get install gcc");
  }
  const installed = onPath("spin");
  if (installed !== undefined) return installed;
  const suite = await ownSuite();
  const directory = join(cacheRoot(), "spin", `debian-${suite}-${process.arch}`);
  const program = {
    suite,
    packages: ["spin"],
    title: "SPIN from Debian: about 0.5 MB, once",
    missing: () =>
      missing("spin-missing", "no spin found on the PATH, and apt has no Debian source to fetch it from"),
  };
  if (!existsSync(directory)) await downloadProgram({ program, directory, progress }, signal);
  return join(directory, "usr/bin/spin");
}

/** Checks the model with these switches (`-DNAME`, `-DNAME=value`). Throws when there is no verdict. */
export async function check(
  spin: string,
  switches: readonly string[],
  signal: AbortSignal,
): Promise<Verdict> {
  const folder = await mkdtemp(join(tmpdir(), "city-operator-model-"));
  try {
    await copyFile(MODEL, join(folder, "protocol.pml"));
    const run = (what: string, command: string, args: readonly string[]): Promise<string> =>
      runProgram(command, args, { what, cwd: folder }, signal);
    await run("spin", spin, [...switches, "-a", "protocol.pml"]);
    const options = ["-O2", "-w", "-DSAFETY", "-DCOLLAPSE", "-DVECTORSZ=2048", `-DMEMLIM=${MEMORY_MB_MAX}`];
    await run("gcc", "gcc", [...options, "-o", "pan", "pan.c"]);
    const startedMs = performance.now();
    const output = await run("the check", join(folder, "pan"), [`-m${DEPTH_MAX}`, "-n"]);
    return verdictOf(output, (performance.now() - startedMs) / 1_000);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Reads what a checker printed. */
export function verdictOf(output: string, seconds: number): Verdict {
  const errors = /errors: (\d+)/.exec(output)?.[1];
  const states = Number(/(\d+) states, stored/.exec(output)?.[1]);
  const violation = /^pan:1: (.*?) \(at depth \d+\)/m.exec(output)?.[1];
  const isWhole =
    errors === "0" && !output.includes("Search not completed") && !output.includes("max search depth");
  if (!(states > 0) || (violation === undefined && !isWhole)) {
    throw new Error(`the check came to no verdict:\n${output.slice(-2_000)}`);
  }
  return { violation, states, seconds };
}

function onPath(name: string): string | undefined {
  return (process.env["PATH"] ?? "")
    .split(delimiter)
    .filter((folder) => folder !== "")
    .map((folder) => join(folder, name))
    .find(existsSync);
}

/** The suite that this machine runs, so that the program finds the C library that it was linked to. */
async function ownSuite(): Promise<string> {
  const release = await readFile("/etc/os-release", "utf8").catch(() => "");
  return /^VERSION_CODENAME=(\w+)$/m.exec(release)?.[1] ?? "stable";
}

function missing(code: string, message: string): OperationalError {
  return new OperationalError({ code, remedy: "give-up", message });
}
