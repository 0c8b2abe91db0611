import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { OperationalError } from "../../runtime/errors.ts";
import { cacheRoot } from "../control-plane/binaries.ts";
import { downloadServer } from "./debian-download.ts";
import { runProgram } from "./run-program.ts";

/** Finds a MySQL server program: a `mysqld` on the PATH first, else Debian's, fetched once into the cache. */

export type ServerBinary = {
  readonly command: string;
  /** What comes before every argument of the server, and the folders that it cannot find by itself. */
  readonly args: readonly string[];
  readonly version: string;
};

const VERSION_MIN = { major: 8, minor: 4 };

/** Errors: `mysql-missing` (says what to install), `mysql-install` (the download failed). */
export async function ensureServerBinary(
  progress: (line: string) => void,
  signal: AbortSignal = new AbortController().signal,
): Promise<ServerBinary> {
  const installed = await installedServer(signal);
  if (installed !== undefined) return installed;
  const directory = join(mysqlCache(), `debian-${process.arch}`);
  if (!existsSync(directory)) await downloadServer({ directory, progress }, signal);
  return await unpackedServer(directory, signal);
}

/** Where this machine keeps the downloaded server and initialised data directories. */
export function mysqlCache(): string {
  return join(cacheRoot(), "mysql");
}

async function installedServer(signal: AbortSignal): Promise<ServerBinary | undefined> {
  // A distribution puts mysqld where administrators look, which the PATH of other users may leave out.
  const folders = [...(process.env["PATH"] ?? "").split(delimiter), "/usr/sbin", "/usr/local/sbin"];
  for (const folder of folders) {
    const command = join(folder, "mysqld");
    if (folder === "" || !existsSync(command)) continue;
    const version = parseServerVersion(await readVersion(command, [], signal).catch(() => ""));
    if (version !== undefined) return { command, args: [], version };
  }
  return undefined;
}

/** "…/mysqld  Ver 8.4.3 for Linux on x86_64 (…)" → "8.4.3"; undefined for MariaDB and for what is too old. */
export function parseServerVersion(text: string): string | undefined {
  if (/mariadb/i.test(text)) return undefined;
  const match = /\bVer (?<version>(?<major>\d+)\.(?<minor>\d+)\.\d+)/.exec(text);
  const { version, major, minor } = match?.groups ?? {};
  const isNewEnough =
    Number(major) > VERSION_MIN.major ||
    (Number(major) === VERSION_MIN.major && Number(minor) >= VERSION_MIN.minor);
  return isNewEnough ? version : undefined;
}

/** Started through the root's own loader, so that it finds its own C library and not the system's older one. */
async function unpackedServer(root: string, signal: AbortSignal): Promise<ServerBinary> {
  const libraries = await libraryFolder(root);
  const loader = (await readdir(libraries)).find((name) => /^ld-linux.*\.so\.\d+$/.test(name));
  if (loader === undefined) throw broken(root, "there is no loader in it");
  const command = join(libraries, loader);
  const libraryPath = [libraries, join(root, "usr/lib/mysql/private")].join(delimiter);
  const start = ["--library-path", libraryPath, join(root, "usr/sbin/mysqld")];
  const version = parseServerVersion(await readVersion(command, start, signal));
  if (version === undefined) throw broken(root, "its server does not tell a usable version");
  const args = [
    ...start,
    "--no-defaults",
    `--lc-messages-dir=${join(root, "usr/share/mysql")}`,
    `--character-sets-dir=${join(root, "usr/share/mysql/charsets")}`,
    `--plugin-dir=${join(root, "usr/lib/mysql/plugin")}`,
  ];
  return { command, args, version };
}

async function libraryFolder(root: string): Promise<string> {
  const folder = join(root, "usr/lib");
  const name = (await readdir(folder)).find((entry) => entry.endsWith("-linux-gnu"));
  if (name === undefined) throw broken(root, "there are no libraries in it");
  return join(folder, name);
}

async function readVersion(command: string, args: readonly string[], signal: AbortSignal): Promise<string> {
  return await runProgram(
    command,
    [...args, "--no-defaults", "--version"],
    { what: "asking mysqld for its version" },
    signal,
  );
}

function broken(root: string, because: string): OperationalError {
  return new OperationalError({
    code: "mysql-install",
    remedy: "give-up",
    message: `the MySQL server in ${root} is unusable (${because}): delete that folder and try again`,
  });
}
