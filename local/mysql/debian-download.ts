import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, rename, rm, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { OperationalError } from "../../runtime/errors.ts";
import { withBuildLock } from "../control-plane/build-lock.ts";
import { debianSource, type AptSource } from "./apt-sources.ts";
import { runProgram } from "./run-program.ts";

/**
 * Programs from Debian's archive, unpacked into one folder. Needs neither root nor a change to the system: apt works in a
 * private directory.
 */

const UNPACKED_AT_ONCE = 4;
/** What was unpacked, one file a package, relative to the root. */
const RECORDS = "var/lib/dpkg/status.d";

/** What to fetch, and what to say about it. */
export type DebianProgram = {
  readonly suite: string;
  readonly packages: readonly string[];
  /** Which of all that they depend on comes too, the C library included; undefined: these packages alone. */
  readonly needs?: (name: string) => boolean;
  /** "a MySQL server: about 70 MB" */
  readonly title: string;
  /** Thrown where apt has no Debian source. */
  readonly missing: () => OperationalError;
};

/** From the unstable suite, with everything that it is linked to. */
const MYSQL_SERVER: DebianProgram = {
  suite: "sid",
  packages: ["mysql-server-core"],
  // The server's helper scripts want perl; the server does not.
  needs: (name) => !/^(lib)?perl/.test(name),
  title: "a MySQL server from Debian's unstable suite: about 70 MB, usually under a minute",
  missing: noDebian,
};

/** Puts the unpacked root at `directory`, once on this machine. Errors: `mysql-missing`, `mysql-install`. */
export async function downloadServer(
  input: { readonly directory: string; readonly progress: (line: string) => void },
  signal: AbortSignal,
): Promise<void> {
  await downloadProgram({ ...input, program: MYSQL_SERVER }, signal);
}

/** Puts the unpacked root at `directory`, once on this machine. Errors: that of `missing`, `mysql-install`. */
export async function downloadProgram(
  input: {
    readonly program: DebianProgram;
    readonly directory: string;
    readonly progress: (line: string) => void;
  },
  signal: AbortSignal,
): Promise<void> {
  const parent = join(input.directory, "..");
  await mkdir(parent, { recursive: true });
  await withBuildLock({ file: `${input.directory}.lock`, progress: input.progress }, signal, async () => {
    if (existsSync(input.directory)) return;
    const source = await debianSource(input.program.suite);
    if (source === undefined) throw input.program.missing();
    const workspace = await mkdtemp(join(parent, "download-"));
    try {
      await downloadInto(workspace, source, input, signal);
      await rename(join(workspace, "root"), input.directory);
    } finally {
      await rm(workspace, { recursive: true, force: true });
    }
  });
}

async function downloadInto(
  workspace: string,
  source: AptSource,
  { program, progress }: { readonly program: DebianProgram; readonly progress: (line: string) => void },
  signal: AbortSignal,
): Promise<void> {
  const startedMs = performance.now();
  progress(`fetching ${program.title}`);
  const [root, packages] = [join(workspace, "root"), join(workspace, "packages")];
  const apt = await privateApt(workspace, source);
  await Promise.all([mkdir(root), mkdir(packages)]);
  await runProgram("apt-get", [...apt, "update"], { what: "apt-get update" }, signal);
  const wanted = await wantedPackages(apt, program, signal);
  await runProgram(
    "apt-get",
    [...apt, "download", ...wanted],
    { what: "apt-get download", cwd: packages },
    signal,
  );
  const files = (await readdir(packages)).filter((name) => name.endsWith(".deb"));
  progress(`unpacking ${files.length} packages`);
  const unpackAll = async (): Promise<void> => {
    for (let file = files.pop(); file !== undefined; file = files.pop()) {
      await unpack(join(packages, file), root, signal);
    }
  };
  await Promise.all(Array.from({ length: UNPACKED_AT_ONCE }, unpackAll));
  const seconds = Math.round((performance.now() - startedMs) / 1000);
  progress(`${program.packages.join(", ")} unpacked after ${seconds} s`);
}

/** Beside its files, what the package says of itself, where scanners of images without a dpkg look for it. */
async function unpack(file: string, root: string, signal: AbortSignal): Promise<void> {
  const what = `unpacking ${basename(file)}`;
  await runProgram("dpkg-deb", ["-x", file, root], { what }, signal);
  const record = await runProgram("dpkg-deb", ["-f", file], { what }, signal);
  const name = /^Package: (?<name>\S+)$/m.exec(record)?.groups?.["name"] ?? basename(file);
  const records = join(root, RECORDS);
  await mkdir(records, { recursive: true });
  await writeFile(join(records, name), record);
}

async function wantedPackages(
  apt: readonly string[],
  program: DebianProgram,
  signal: AbortSignal,
): Promise<string[]> {
  const { needs } = program;
  if (needs === undefined) return [...program.packages];
  const dependencies = await runProgram(
    "apt-cache",
    [...apt, "depends", "--recurse", "--important", ...program.packages],
    { what: "apt-cache depends" },
    signal,
  );
  const names = new Set(dependencies.split("\n").filter((line) => /^[a-z0-9]/.test(line)));
  return [...names].filter(needs);
}

/** The options that keep apt away from the system's lists, caches, sources and locks. */
async function privateApt(workspace: string, source: AptSource): Promise<string[]> {
  const [lists, cache, sources] = ["lists", "cache", "sources"].map((name) => join(workspace, "apt", name));
  await Promise.all([
    mkdir(join(lists ?? "", "partial"), { recursive: true }),
    mkdir(join(cache ?? "", "archives", "partial"), { recursive: true }),
    mkdir(sources ?? "", { recursive: true }),
  ]);
  await writeFile(join(sources ?? "", source.fileName), source.text);
  const options = [
    `Dir::State::lists=${lists}`,
    `Dir::State::status=/dev/null`,
    `Dir::Cache=${cache}`,
    `Dir::Etc::sourcelist=/dev/null`,
    `Dir::Etc::sourceparts=${sources}`,
    // The unprivileged user that root's apt downloads as cannot write into a private directory.
    `APT::Sandbox::User=root`,
    `Acquire::Languages=none`,
    `Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false`,
  ];
  return options.flatMap((option) => ["-o", option]);
}

function noDebian(): OperationalError {
  return new OperationalError({
    code: "mysql-missing",
    remedy: "give-up",
    message:
      "no MySQL server found: install MySQL 8.4 or later so that `mysqld` is on the PATH, or set MYSQL_URL to a server's " +
      "administrator URL (fetching one is only possible where apt has a Debian source)",
  });
}
