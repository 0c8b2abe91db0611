import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { promisify } from "node:util";
import { CLUSTER_PROGRAMS } from "../cluster/go-modules.ts";
import { ensureGoPrograms } from "../control-plane/go-programs.ts";
import { cityTypes } from "./city-types.ts";

/** The files that are made from others, so that each thing is written down once. Paths are relative to the repository. */

export const CRD = "crds/city.yaml";
export const CRD_OF_CHART = "helm/city-operator/files/city.yaml";
export const CITY_TYPES = "helm/pulumi/city-spec.ts";
export const CHART_README = "helm/city-operator/README.md";

/** What can be made without any program. */
export async function deriveFromCrd(): Promise<ReadonlyMap<string, string>> {
  const crd = await readFile(CRD, "utf8");
  return new Map([
    [CRD_OF_CHART, crd],
    [CITY_TYPES, cityTypes(crd)],
  ]);
}

/** The chart's README with the table of its values. Errors: those of `ensureGoPrograms`. */
export async function deriveReadme(progress: (line: string) => void): Promise<string> {
  const programs = await ensureGoPrograms(CLUSTER_PROGRAMS, ["helm-docs"], progress);
  const { stdout } = await promisify(execFile)(programs["helm-docs"], [
    "--chart-search-root=helm",
    "--sort-values-order=file",
    "--log-level=warning",
    "--dry-run",
  ]);
  return `${stdout.trim()}\n`;
}
