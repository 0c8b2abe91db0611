import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { OperationalError } from "../../runtime/errors.ts";

const execute = promisify(execFile);
const OUTPUT_BYTES_MAX = 64 * 2 ** 20;
const ERROR_LINES_MAX = 12;

/** Runs a program to its end and returns its standard output. Errors: `mysql-install` with the last lines that it said. */
export async function runProgram(
  command: string,
  args: readonly string[],
  options: {
    readonly what: string;
    readonly cwd?: string;
    readonly env?: Readonly<Record<string, string>>;
  },
  signal: AbortSignal,
): Promise<string> {
  try {
    const { stdout } = await execute(command, [...args], {
      cwd: options.cwd,
      signal,
      maxBuffer: OUTPUT_BYTES_MAX,
      env: { ...process.env, LC_ALL: "C", ...options.env },
    });
    return stdout;
  } catch (error) {
    signal.throwIfAborted();
    const { stderr = "", message } = error as { readonly stderr?: string; readonly message: string };
    const said = stderr.trim() === "" ? message : stderr.trim();
    throw new OperationalError({
      code: "mysql-install",
      remedy: "retry",
      message: `${options.what} failed:\n${said.split("\n").slice(-ERROR_LINES_MAX).join("\n")}`,
      cause: error,
    });
  }
}
