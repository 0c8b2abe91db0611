import { spawn } from "node:child_process";
import { join } from "node:path";
import { text } from "node:stream/consumers";

export type CommandResult = {
  readonly stdout: string;
  readonly stderr: string;
  readonly code: number | null;
};

export type Kubectl = (
  args: readonly string[],
  options?: { readonly input?: string; readonly timeoutMs?: number },
) => Promise<CommandResult>;

const TIMEOUT_MS = 60_000;

/**
 * kubectl on one kubeconfig, without anything of the person's own settings. Resolves whatever the exit code is; `code` is
 * null when the time was up and it was killed.
 */
export function createKubectl(input: {
  readonly path: string;
  readonly kubeconfigPath: string;
  readonly cacheDirectory: string;
}): Kubectl {
  return async (args, { input: stdin = "", timeoutMs = TIMEOUT_MS } = {}) => {
    const child = spawn(input.path, [...args], {
      env: {
        ...process.env,
        KUBECONFIG: input.kubeconfigPath,
        KUBECACHEDIR: join(input.cacheDirectory, "kubectl"),
        KUBERC: "off",
      },
      stdio: ["pipe", "pipe", "pipe"],
      timeout: timeoutMs,
      killSignal: "SIGKILL",
    });
    // It may end without reading its input; the exit code says what matters.
    child.stdin.on("error", () => undefined);
    child.stdin.end(stdin);
    const closed = Promise.withResolvers<number | null>();
    child.once("error", closed.reject);
    child.once("close", closed.resolve);
    const [stdout, stderr, code] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      closed.promise,
    ]);
    return { stdout, stderr, code };
  };
}
