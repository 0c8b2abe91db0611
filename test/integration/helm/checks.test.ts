import { spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { CHART_README, deriveReadme } from "../../../local/chart/derived.ts";
import { KUBE_SCORE } from "../../../local/cluster/go-modules.ts";
import { ensureGoPrograms } from "../../../local/control-plane/go-programs.ts";
import { combinations, createHelm, HELM_LIMIT_MS, type Helm } from "../../support/helm.ts";

/** What tools of others say of the chart. Each check that is left out stands in the chart's README with its reason. */

const combined = await combinations();
const IGNORED_EVERYWHERE = ["--ignore-container-cpu-limit"];
/** Where somebody else's network policies rule. */
const IGNORED_IN: Readonly<Record<string, readonly string[]>> = {
  bare: ["--ignore-test=pod-networkpolicy"],
};

const progress = (line: string): void => {
  process.stderr.write(`${line}\n`);
};
let helm: Helm;
let kubeScore: string;

beforeAll(async () => {
  helm = await createHelm();
  ({ "kube-score": kubeScore } = await ensureGoPrograms(KUBE_SCORE, ["kube-score"], progress));
}, HELM_LIMIT_MS);
afterAll(async () => {
  await helm?.close();
});

/** Every finding, one a line. */
async function findings(manifests: string, flags: readonly string[]): Promise<readonly string[]> {
  const args = ["score", "--kubernetes-version=v1.35", "--output-format=ci", ...flags, "-"];
  const child = spawn(kubeScore, args, { stdio: ["pipe", "pipe", "inherit"] });
  child.stdin.end(manifests);
  const lines = (await text(child.stdout)).trim().split("\n");
  expect(lines.length).toBeGreaterThan(20);
  return lines.filter((line) => !/^\[(OK|SKIPPED)\]/.test(line));
}

test.each(combined)("kube-score has nothing against the values %s", async (name, args) => {
  const flags = [...IGNORED_EVERYWHERE, ...(IGNORED_IN[name] ?? [])];
  expect(await findings(await helm.template(args), flags)).toEqual([]);
});

test("kube-score would notice a Pod that may write to its root", async () => {
  const worse = (await helm.template()).replaceAll(
    "readOnlyRootFilesystem: true",
    "readOnlyRootFilesystem: false",
  );
  expect((await findings(worse, IGNORED_EVERYWHERE)).join("\n")).toContain("writable root filesystem");
});

test("the table of values in the chart's README is that of the present values; otherwise, make chart-docs", async () => {
  expect(await readFile(CHART_README, "utf8")).toBe(await deriveReadme(progress));
});

test("every value is described in that table", async () => {
  const rows = (await readFile(CHART_README, "utf8")).split("\n").filter((line) => line.startsWith("| "));
  expect(rows.length).toBeGreaterThan(80);
  expect(rows.filter((row) => /\|\s*\|$/.test(row))).toEqual([]);
});
