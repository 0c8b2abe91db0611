import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { OperationalError } from "../../runtime/errors.ts";
import { withBuildLock } from "../control-plane/build-lock.ts";
import { debianSource, type AptSource } from "./apt-sources.ts";
import { runProgram } from "./run-program.ts";

/**
 * A MySQL server from Debian's unstable suite, unpacked into one folder together with the C library and everything else
 * that it is linked to. Needs neither root nor a change to the system: apt works in a private directory.
 */

const SUITE = "sid";
const SERVER_PACKAGE = "mysql-server-core";
/** The server's helper scripts want perl; the server does not. */
const UNNEEDED_PACKAGE = /^(lib)?perl/;
const UNPACKED_AT_ONCE = 4;

/** Puts the unpacked root at `directory`, once on this machine. Errors: `mysql-missing`, `mysql-install`. */
export async function downloadServer(
  input: { readonly directory: string; readonly progress: (line: string) => void },
  signal: AbortSignal,
): Promise<void> {
  const parent = join(input.directory, "..");
  await mkdir(parent, { recursive: true });
  await withBuildLock({ file: `${input.directory}.lock`, progress: input.progress }, signal, async () => {
    if (existsSync(input.directory)) return;
    const source = await debianSource(SUITE);
    if (source === undefined) throw noDebian();
    const workspace = await mkdtemp(join(parent, "download-"));
    try {
      await downloadInto(workspace, source, input.progress, signal);
      await rename(join(workspace, "root"), input.directory);
    } finally {
      await rm(workspace, { recursive: true, force: true });
    }
  });
}

async function downloadInto(
  workspace: string,
  source: AptSource,
  progress: (line: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const startedMs = performance.now();
  progress("fetching a MySQL server from Debian's unstable suite: about 70 MB, usually under a minute");
  const [root, packages] = [join(workspace, "root"), join(workspace, "packages")];
  const apt = await privateApt(workspace, source);
  await Promise.all([mkdir(root), mkdir(packages)]);
  await runProgram("apt-get", [...apt, "update"], { what: "apt-get update" }, signal);
  const dependencies = await runProgram(
    "apt-cache",
    [...apt, "depends", "--recurse", "--important", SERVER_PACKAGE],
    { what: "apt-cache depends" },
    signal,
  );
  const names = [...new Set(dependencies.split("\n").filter((line) => /^[a-z0-9]/.test(line)))];
  const wanted = names.filter((name) => !UNNEEDED_PACKAGE.test(name));
  await runProgram(
    "apt-get",
    [...apt, "download", ...wanted],
    { what: "apt-get download", cwd: packages },
    signal,
  );
  const files = (await readdir(packages)).filter((name) => name.endsWith(".deb"));
  progress(`unpacking ${files.length} packages`);
  const unpack = async (): Promise<void> => {
    for (let file = files.pop(); file !== undefined; file = files.pop()) {
      await runProgram("dpkg-deb", ["-x", join(packages, file), root], { what: `unpacking ${file}` }, signal);
    }
  };
  await Promise.all(Array.from({ length: UNPACKED_AT_ONCE }, unpack));
  progress(`MySQL server unpacked after ${Math.round((performance.now() - startedMs) / 1000)} s`);
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
