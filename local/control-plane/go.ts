import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { OperationalError } from "../../runtime/errors.ts";

/** Runs Go: once per machine, to build what the local control plane consists of. */

const GO_MINOR_MIN = 25;
const HEARTBEAT_INTERVAL_MS = 15_000;
const ERROR_LINES_MAX = 20;

/** `go build` with these arguments in the folder of a go.mod. Errors: `go-missing`, `go-build-failed`. */
export async function goBuild(
  input: {
    readonly module: string;
    readonly args: readonly string[];
    readonly progress: (line: string) => void;
  },
  signal: AbortSignal,
): Promise<void> {
  const { module, args, progress } = input;
  const startedMs = performance.now();
  let packages = 0;
  const lastLines: string[] = [];
  const heartbeat = setInterval(() => {
    const seconds = Math.round((performance.now() - startedMs) / 1_000);
    progress(`still building: ${seconds} s, ${packages} packages compiled`);
  }, HEARTBEAT_INTERVAL_MS);
  try {
    const code = await runGo({ module, args: ["build", "-v", ...args] }, signal, (line) => {
      // What is neither a package's name nor progress is what went wrong.
      if (/^[\w./~-]+$/.test(line)) packages += 1;
      else if (!line.startsWith("go: downloading")) lastLines.push(line);
      if (lastLines.length > ERROR_LINES_MAX) lastLines.shift();
    });
    if (code === 0) return;
    throw new OperationalError({
      code: "go-build-failed",
      remedy: "give-up",
      message: `go build ended with ${code} in ${module}:\n${lastLines.join("\n")}`,
    });
  } finally {
    clearInterval(heartbeat);
  }
}

/** Such as "go1.26.8". Errors: `go-missing`, `go-too-old`. */
export async function readGoVersion(module: string, signal: AbortSignal): Promise<string> {
  let version = "";
  const code = await runGo({ module, args: ["env", "GOVERSION"] }, signal, (line) => {
    if (line.startsWith("go")) version = line.trim();
  });
  const [, minor] = /^go1\.(\d+)/.exec(version) ?? [];
  if (code === 0 && (minor === undefined || Number(minor) >= GO_MINOR_MIN)) return version;
  throw new OperationalError({
    code: "go-too-old",
    remedy: "give-up",
    message: `found ${version === "" ? "a Go without version" : version}: install Go 1.${GO_MINOR_MIN} or later from go.dev/dl or your distribution`,
  });
}

/** Runs Go in the module's folder and hands over its output by lines. Resolves to the exit code. */
async function runGo(
  input: { readonly module: string; readonly args: readonly string[] },
  signal: AbortSignal,
  onLine: (line: string) => void,
): Promise<number | null> {
  signal.throwIfAborted();
  const child = spawn("go", [...input.args], {
    cwd: input.module,
    env: { ...process.env, CGO_ENABLED: "0", GOFLAGS: "-mod=readonly", GOTOOLCHAIN: "local", GOWORK: "off" },
    stdio: ["ignore", "pipe", "pipe"],
    signal,
  });
  createInterface({ input: child.stdout }).on("line", onLine);
  createInterface({ input: child.stderr }).on("line", onLine);
  const ended = Promise.withResolvers<number | null>();
  child.once("close", ended.resolve);
  child.once("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "ENOENT") {
      ended.reject(error);
      return;
    }
    ended.reject(
      new OperationalError({
        code: "go-missing",
        remedy: "give-up",
        message: `Go is needed once to build the control plane and was not found: install Go 1.${GO_MINOR_MIN} or later from go.dev/dl or your distribution`,
        cause: error,
      }),
    );
  });
  return await ended.promise;
}
