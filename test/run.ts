import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { obstacleHere } from "../local/cluster/requirements.ts";

/**
 * Runs every check of the project in turn and sums them up. A check that is a single program counts as one test. A suite
 * that ran nothing, or skipped anything, counts as failed: silence is not success.
 */

type Tally = { readonly passed: number; readonly failed: number };

const directory = mkdtempSync(join(tmpdir(), "city-operator-test-"));

async function run(command: string, args: readonly string[]): Promise<number> {
  const child = spawn(command, [...args], { stdio: ["ignore", "inherit", "inherit"] });
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  child.once("error", reject);
  child.once("exit", (code) => {
    resolve(code ?? 1);
  });
  return promise;
}

async function check(command: string, args: readonly string[]): Promise<Tally> {
  const code = await run(command, args);
  return code === 0 ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 };
}

/** A program of our own that ends with "N passed, N failed"; one that ends otherwise has failed. */
async function program(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Tally> {
  const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", ...args], {
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, ...env },
  });
  let tail = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    process.stdout.write(text);
    tail = (tail + text).slice(-1_000);
  });
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  child.once("error", reject);
  child.once("close", (code) => {
    resolve(code ?? 1);
  });
  const code = await promise;
  const [, passed, failed] = /(\d+) passed, (\d+) failed\s*$/.exec(tail) ?? [];
  const tally = { passed: Number(passed ?? 0), failed: Number(failed ?? 1) };
  const isTrue = (code === 0) === (tally.failed === 0) && tally.passed + tally.failed > 0;
  return isTrue ? tally : { ...tally, failed: Math.max(1, tally.failed) };
}

/** `folder`: where the suite's files are. */
async function jest(
  suite: string,
  flags: readonly string[],
  folder: string = `test/${suite}`,
): Promise<Tally> {
  const outputFile = join(directory, `${suite}.json`);
  const code = await run(process.execPath, [
    "--disable-warning=ExperimentalWarning",
    "--experimental-vm-modules",
    "node_modules/jest/bin/jest.js",
    folder,
    "--json",
    `--outputFile=${outputFile}`,
    ...flags,
  ]);
  const result = JSON.parse(readFileSync(outputFile, "utf8")) as {
    numPassedTests: number;
    numFailedTests: number;
    numPendingTests: number;
    numTodoTests: number;
    numRuntimeErrorTestSuites: number;
  };
  const skipped = result.numPendingTests + result.numTodoTests;
  if (skipped > 0) process.stdout.write(`${suite}: ${skipped} skipped, which counts as failed\n`);
  let failed = result.numFailedTests + result.numRuntimeErrorTestSuites + skipped;
  // Something other than a test failed, or there was none.
  if (failed === 0 && (code !== 0 || result.numPassedTests === 0)) failed = 1;
  return { passed: result.numPassedTests, failed };
}

/** A workspace of its own, with its own packages, so that the product's do not have them. */
async function pulumi(): Promise<Tally> {
  const code = await run("make", ["--no-print-directory", "pulumi-install"]);
  if (code !== 0) return { passed: 0, failed: 1 };
  const types = await check("node_modules/.bin/tsc", ["-p", "helm/pulumi"]);
  const tests = await jest("pulumi", [], "helm/pulumi/test");
  return { passed: types.passed + tests.passed, failed: types.failed + tests.failed };
}

/**
 * Where no local cluster can be made, that is said and counts as failed: whoever wants the rest alone calls the single checks.
 */
async function endToEnd(): Promise<Tally> {
  const obstacle = obstacleHere();
  if (obstacle === undefined) return await jest("e2e", ["--runInBand", "--forceExit"]);
  process.stdout.write(`e2e: cannot run: ${obstacle}\n`);
  return { passed: 0, failed: 1 };
}

const CHECKS: readonly (readonly [string, () => Promise<Tally>])[] = [
  ["types", () => check("node_modules/.bin/tsc", ["-p", "."])],
  ["page types", () => check("node_modules/.bin/tsc", ["-p", "operator/console/page"])],
  ["lint", () => check("node_modules/.bin/oxlint", ["--type-aware"])],
  ["format", () => check("node_modules/.bin/oxfmt", ["--check"])],
  ["unit", () => jest("unit", [])],
  ["pulumi", pulumi],
  // One file at a time: each has servers of its own, and some watch the clock. A failure must not leave the run hanging on
  // what the failed test did not close.
  ["integration", () => jest("integration", ["--runInBand", "--forceExit"])],
  ["perturbation", () => jest("perturbation", ["--runInBand", "--forceExit"])],
  ["e2e", endToEnd],
  ["model", () => program(["test/model/main.ts"])],
  // Other seeds every day, which the output names.
  ["simulation", () => program(["test/simulation/main.ts", "--seeds", "300"])],
  ["chaos", () => program(["test/chaos/main.ts"], { MINUTES: "1" })],
];

let passed = 0;
let failed = 0;
for (const [name, runCheck] of CHECKS) {
  const startedMs = performance.now();
  process.stdout.write(`\n== ${name}\n`);
  const tally = await runCheck().catch((error: unknown): Tally => {
    process.stdout.write(`${name}: ${String(error)}\n`);
    return { passed: 0, failed: 1 };
  });
  passed += tally.passed;
  failed += tally.failed;
  const seconds = Math.round((performance.now() - startedMs) / 1_000);
  process.stdout.write(`== ${name}: ${tally.passed} passed, ${tally.failed} failed in ${seconds} s\n`);
}
rmSync(directory, { recursive: true, force: true });
process.stdout.write(`\n${passed} passed, ${failed} failed\n`);
process.exitCode = failed === 0 ? 0 : 1;
