import { execFile } from "node:child_process";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadAllYaml } from "@kubernetes/client-node";
import { CLUSTER_PROGRAMS } from "../../local/cluster/go-modules.ts";
import { ensureGoPrograms } from "../../local/control-plane/go-programs.ts";
import type { CommandResult } from "../../local/control-plane/kubectl.ts";

/** helm on the project's chart, without anything of the person's own settings. */

export const CHART = "helm/city-operator";
export const NAMESPACE = "dispatch";
/** Building helm takes minutes once per machine: give `beforeAll` this long. */
export const HELM_LIMIT_MS = 900_000;

/** Any object, as deep as a test wants to look into it. */
export type Manifest = {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly [field: string]: unknown;
};

export type Helm = {
  /** Resolves whatever the exit code is. */
  run(args: readonly string[]): Promise<CommandResult>;
  /** What the chart makes of these arguments, as text. Rejects with helm's own words. */
  template(args?: readonly string[]): Promise<string>;
  render(args?: readonly string[]): Promise<readonly Manifest[]>;
  close(): Promise<void>;
};

const CALL_LIMIT_MS = 60_000;

/** `callLimitMs`: for one call; more where it waits for Pods. */
export async function createHelm(callLimitMs: number = CALL_LIMIT_MS): Promise<Helm> {
  const { helm } = await ensureGoPrograms(CLUSTER_PROGRAMS, ["helm"], (line) => {
    process.stderr.write(`${line}\n`);
  });
  const home = await mkdtemp(join(tmpdir(), "city-operator-helm-"));
  const env = {
    ...process.env,
    HELM_CACHE_HOME: home,
    HELM_CONFIG_HOME: home,
    HELM_DATA_HOME: home,
    KUBECONFIG: join(home, "none"),
  };
  const run: Helm["run"] = (args) => {
    const ended = Promise.withResolvers<CommandResult>();
    execFile(helm, [...args], { env, timeout: callLimitMs, maxBuffer: 2 ** 26 }, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === "number" ? error.code : null;
      ended.resolve({ stdout, stderr, code });
    });
    return ended.promise;
  };
  const template: Helm["template"] = async (args = []) => {
    const where = ["--namespace", NAMESPACE, "--kube-version", "1.35.4"];
    const { stdout, stderr, code } = await run(["template", "city-operator", CHART, ...where, ...args]);
    if (code !== 0) throw new Error(stderr);
    return stdout;
  };
  return {
    run,
    template,
    async render(args) {
      const documents = loadAllYaml(await template(args)) as (Manifest | null)[];
      return documents.filter((document) => document !== null);
    },
    async close() {
      await rm(home, { recursive: true, force: true });
    },
  };
}

/** The arguments of every combination that the chart promises to render, by name; "default" is no values at all. */
export async function combinations(): Promise<readonly (readonly [string, readonly string[]])[]> {
  const files = (await readdir(join(CHART, "ci"))).filter((name) => name.endsWith("-values.yaml"));
  return [
    ["default", []],
    ...files.map(
      (name) => [name.replace("-values.yaml", ""), ["--values", join(CHART, "ci", name)]] as const,
    ),
  ];
}

/** The object of this kind and name; an error that lists what there is, if there is none. */
export function find(manifests: readonly Manifest[], kind: string, name: string): Manifest {
  const found = manifests.find((manifest) => manifest.kind === kind && manifest.metadata.name === name);
  if (found !== undefined) return found;
  const present = manifests.map((manifest) => `${manifest.kind}/${manifest.metadata.name}`);
  throw new Error(`there is no ${kind}/${name} among ${present.join(", ")}`);
}
