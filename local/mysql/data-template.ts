import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { withBuildLock } from "../control-plane/build-lock.ts";
import { runProgram } from "./run-program.ts";
import { mysqlCache, type ServerBinary } from "./server-binary.ts";

/** An initialised data directory, made once per server version, which every new local server starts from a copy of. */

/** What is baked into a data directory when it is made. */
export const DATA_SETTINGS = ["--innodb-redo-log-capacity=64M"];

/** The administrator that local URLs name. Only loopback reaches it, and the data is nobody's. */
const ACCOUNTS = `CREATE USER root@'127.0.0.1' IDENTIFIED BY '';
GRANT ALL ON *.* TO root@'127.0.0.1' WITH GRANT OPTION;
`;

/** Makes `target` (which must not exist) a fresh data directory; about 0.2 s after the first one. */
export async function copyDataTemplate(
  input: {
    readonly binary: ServerBinary;
    readonly target: string;
    readonly progress: (line: string) => void;
  },
  signal: AbortSignal,
): Promise<void> {
  const template = await ensureTemplate(input.binary, input.progress, signal);
  const args = ["-R", "--reflink=auto", template, input.target];
  await runProgram("cp", args, { what: "copying the data directory" }, signal);
}

async function ensureTemplate(
  binary: ServerBinary,
  progress: (line: string) => void,
  signal: AbortSignal,
): Promise<string> {
  const recipe = JSON.stringify([binary.command, binary.args, binary.version, DATA_SETTINGS, ACCOUNTS]);
  const key = createHash("sha256").update(recipe).digest("hex").slice(0, 16);
  const template = join(mysqlCache(), `data-${binary.version}-${key}`);
  if (existsSync(template)) return template;
  await mkdir(mysqlCache(), { recursive: true });
  await withBuildLock({ file: `${template}.lock`, progress }, signal, async () => {
    if (existsSync(template)) return;
    progress("initialising a MySQL data directory, once: about 5 s");
    const workspace = await mkdtemp(join(mysqlCache(), "initialise-"));
    try {
      await initialise(binary, workspace, signal);
      await rename(join(workspace, "data"), template);
    } finally {
      await rm(workspace, { recursive: true, force: true });
    }
  });
  return template;
}

async function initialise(binary: ServerBinary, workspace: string, signal: AbortSignal): Promise<void> {
  const accounts = join(workspace, "accounts.sql");
  await writeFile(accounts, ACCOUNTS);
  const args = [
    ...binary.args,
    ...DATA_SETTINGS,
    ...runAs(),
    `--datadir=${join(workspace, "data")}`,
    `--init-file=${accounts}`,
    "--secure-file-priv=",
    "--initialize-insecure",
  ];
  await runProgram(binary.command, args, { what: "initialising a MySQL data directory" }, signal);
}

/** The server refuses to run as root unless it is told so. */
export function runAs(): string[] {
  return process.getuid?.() === 0 ? ["--user=root"] : [];
}
