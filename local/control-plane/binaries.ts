import { accessSync, constants, existsSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { buildFromGoModules, goBuildKey, type BinaryName } from "./go-build.ts";

/** Finds the programs of a Kubernetes control plane: given ones first, then cached ones, else built from Go modules. */

export type { BinaryName };

/**
 * Name → path of an executable. Looks into $KUBEBUILDER_ASSETS (the convention of envtest), then into the cache
 * ($CITY_OPERATOR_CACHE, else ~/.cache/city-operator), and builds what is missing, which takes minutes once.
 * Errors: `go-missing`, `go-too-old`, `go-build-failed`.
 */
export async function ensureBinaries<Name extends BinaryName>(
  names: readonly Name[],
  progress: (line: string) => void,
  signal: AbortSignal = new AbortController().signal,
): Promise<Readonly<Record<Name, string>>> {
  const found = new Map<BinaryName, string>();
  const given = process.env["KUBEBUILDER_ASSETS"];
  for (const name of names) {
    const path = given === undefined || given === "" ? undefined : join(given, name);
    if (path !== undefined && isExecutable(path)) found.set(name, path);
  }
  const others = names.filter((name) => !found.has(name));
  if (others.length > 0) {
    const directory = join(cacheRoot(), "control-plane", await goBuildKey(signal));
    const isMissing = (name: BinaryName): boolean => !existsSync(join(directory, name));
    if (others.some(isMissing)) {
      await buildFromGoModules({ directory, missing: () => others.filter(isMissing), progress }, signal);
    }
    for (const name of others) found.set(name, join(directory, name));
  }
  return Object.fromEntries(found) as Record<Name, string>;
}

/** Where this machine keeps what takes long to make and is the same for every checkout. */
export function cacheRoot(): string {
  const configured = process.env["CITY_OPERATOR_CACHE"];
  return configured === undefined || configured === ""
    ? join(homedir(), ".cache", "city-operator")
    : configured;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
