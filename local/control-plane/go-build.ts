import { createHash } from "node:crypto";
import { mkdtemp, mkdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { withBuildLock } from "./build-lock.ts";
import { goBuild, readGoVersion } from "./go.ts";

/** Builds control-plane programs from the Go modules that `go.mod` beside this file pins. */

export type BinaryName =
  | "etcd"
  | "kube-apiserver"
  | "kube-controller-manager"
  | "kube-scheduler"
  | "kubelet"
  | "kube-proxy"
  | "kubectl";

const MODULE_DIRECTORY = import.meta.dirname;
const KUBERNETES_MODULE = "k8s.io/kubernetes";
const ETCD_PACKAGE = "go.etcd.io/etcd/server/v3";

/** Wall time of a build from nothing on two cores; the API server drags in most of what the others share. */
const BUILD_MINUTES: Readonly<Record<BinaryName, number>> = {
  etcd: 0.5,
  "kube-apiserver": 4,
  "kube-controller-manager": 1,
  "kube-scheduler": 0.5,
  kubelet: 1,
  "kube-proxy": 0.5,
  kubectl: 0.5,
};

/** The name of the folder that holds exactly what this go.mod, this Go and these flags make. */
export async function goBuildKey(signal: AbortSignal): Promise<string> {
  const [goVersion, goMod, goSum] = await Promise.all([
    readGoVersion(MODULE_DIRECTORY, signal),
    readFile(join(MODULE_DIRECTORY, "go.mod"), "utf8"),
    readFile(join(MODULE_DIRECTORY, "go.sum"), "utf8"),
  ]);
  const flags = [...kubernetesFlags(goMod), ...ETCD_FLAGS].join(" ");
  return createHash("sha256").update([goMod, goSum, goVersion, flags].join("\0")).digest("hex").slice(0, 16);
}

/**
 * Puts what `missing` returns into `directory`, one build at a time on this machine: whoever waited for another's build
 * finds its results and builds only what is still missing.
 */
export async function buildFromGoModules(
  input: {
    readonly directory: string;
    readonly missing: () => readonly BinaryName[];
    readonly progress: (line: string) => void;
  },
  signal: AbortSignal,
): Promise<void> {
  const { directory, missing, progress } = input;
  await mkdir(directory, { recursive: true });
  await withBuildLock({ file: join(directory, "build.lock"), progress }, signal, async () => {
    const names = missing();
    if (names.length === 0) return;
    const minutes = Math.ceil(names.reduce((sum, name) => sum + BUILD_MINUTES[name], 0));
    progress(
      `building ${listed(names)} from Go modules: about ${minutes} minute(s) on two cores, once (less with a warm Go cache); then cached in ${directory}`,
    );
    const temporary = await mkdtemp(join(directory, "building-"));
    try {
      const kubernetes = names.filter((name) => name !== "etcd");
      if (kubernetes.length > 0) {
        const flags = kubernetesFlags(await readFile(join(MODULE_DIRECTORY, "go.mod"), "utf8"));
        const packages = kubernetes.map((name) => `${KUBERNETES_MODULE}/cmd/${name}`);
        const args = ["-o", `${temporary}/`, ...flags, ...packages];
        await goBuild({ module: MODULE_DIRECTORY, args, progress }, signal);
      }
      if (names.includes("etcd")) {
        const args = ["-o", join(temporary, "etcd"), ...ETCD_FLAGS, ETCD_PACKAGE];
        await goBuild({ module: MODULE_DIRECTORY, args, progress }, signal);
      }
      // Renaming on one file system is atomic: nobody ever starts half a program.
      for (const name of names) await rename(join(temporary, name), join(directory, name));
    } finally {
      await rm(temporary, { recursive: true, force: true });
    }
  });
}

/** The binaries need no debug information. */
export const ETCD_FLAGS = ["-trimpath", "-ldflags", "-s -w"] as const;

/** Without the version in the binary, everything that checks one (a chart's `kubeVersion`, this product) refuses it. */
function kubernetesFlags(goMod: string): readonly string[] {
  const match = /^\s*(?:require\s+)?k8s\.io\/kubernetes\s+v(\d+)\.(\d+)\.(\d+)/m.exec(goMod);
  if (match === null) throw new Error(`${MODULE_DIRECTORY}/go.mod does not require ${KUBERNETES_MODULE}`);
  const [, major, minor, patch] = match;
  const values = {
    gitMajor: major,
    gitMinor: minor,
    gitVersion: `v${major}.${minor}.${patch}`,
    gitCommit: "unknown",
    gitTreeState: "clean",
    buildDate: "1970-01-01T00:00:00Z",
  };
  const settings = Object.entries(values).map(
    ([key, value]) => `-X k8s.io/component-base/version.${key}=${value}`,
  );
  return ["-trimpath", "-ldflags", ["-s -w", ...settings].join(" ")];
}

export function listed(names: readonly string[]): string {
  return names.length < 2 ? names.join("") : `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
}
