import { spawn } from "node:child_process";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import type { CommandResult } from "../../local/control-plane/kubectl.ts";
import type { Product } from "./product.ts";

/** `kubectl city` as a person runs it: by the real kubectl, with the plugin on its PATH. */
export type PluginRunner = {
  kubectl(args: readonly string[], env?: Readonly<Record<string, string>>): Promise<CommandResult>;
  /** What it prints. Rejects when it fails, or does not fit a terminal. */
  city(...args: readonly string[]): Promise<string>;
  /** What it says as it fails. Rejects when it succeeds. */
  refusal(...args: readonly string[]): Promise<string>;
  /** "<reason> <note>" of every Event of this object. */
  events(kind: string, name: string): Promise<readonly string[]>;
};

const PLUGIN = fileURLToPath(new URL("../../plugin", import.meta.url));
const LIMIT_MS = 60_000;
const WIDTH_MAX = 100;

export function createPluginRunner(product: Product): PluginRunner {
  const { kubectlPath, kubeconfigPath } = product.stack.api;

  const kubectl: PluginRunner["kubectl"] = async (args, env = {}) => {
    const child = spawn(kubectlPath, [...args], {
      env: {
        ...process.env,
        KUBECONFIG: kubeconfigPath,
        KUBERC: "off",
        PATH: `${PLUGIN}:${process.env["PATH"]}`,
        ...env,
      },
      stdio: ["ignore", "pipe", "pipe"],
      timeout: LIMIT_MS,
    });
    const closed = new Promise<number | null>((resolve, reject) => {
      child.once("error", reject);
      child.once("close", resolve);
    });
    const [stdout, stderr, code] = await Promise.all([text(child.stdout), text(child.stderr), closed]);
    return { stdout, stderr, code };
  };

  return {
    kubectl,
    async city(...args) {
      const { stdout, stderr, code } = await kubectl(["city", ...args]);
      if (code !== 0)
        throw new Error(`kubectl city ${args.join(" ")} ended with ${code}: ${stderr}${stdout}`);
      const wide = stdout.split("\n").filter((line) => line.length > WIDTH_MAX);
      if (wide.length > 0) throw new Error(`wider than ${WIDTH_MAX} columns: ${wide.join("\n")}`);
      return stdout;
    },
    async refusal(...args) {
      const { stdout, stderr, code } = await kubectl(["city", ...args]);
      if (code !== 1) throw new Error(`kubectl city ${args.join(" ")} ended with ${code}: ${stdout}`);
      return stderr.replace(/error: exit status 1\n$/, "").trim();
    },
    async events(kind, name) {
      const { stdout } = await kubectl(["get", "events.events.k8s.io", "-o", "json"]);
      const { items } = JSON.parse(stdout) as {
        readonly items: readonly {
          readonly reason: string;
          readonly note: string;
          readonly regarding: { readonly kind: string; readonly name: string };
        }[];
      };
      return items
        .filter(({ regarding }) => regarding.kind === kind && regarding.name === name)
        .map(({ reason, note }) => `${reason} ${note}`);
    },
  };
}

/** Without what differs from run to run: ages, numbers of tokens and ticks, which worker; and widths of columns follow from them. */
export function masked(output: string): string {
  return output
    .replace(/worker-[123]-[0-9a-f]{6}/g, "WORKER")
    .replace(/token \d+/g, "token N")
    .replace(/tick \d+/g, "tick N")
    .replace(/\b\d+[smhd]\b(?! of silence|: to another|$)/gm, "AGE")
    .replace(/(WORKER +)\d+( +AGE)/g, "$1N$2")
    .replace(/ {2,}/g, "  ");
}
