import { spawn, execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { Check, Guard } from "./guard.ts";
import { GUARDS } from "./guards.ts";
import { renderTable, type Finding } from "./table.ts";

/**
 * Takes every guard of the product away, one at a time and in a copy, and runs the checks that are to notice. A check
 * counts only if the product passes it unharmed. Arguments choose guards by name; all of them write test/MUTATIONS.md.
 */

const CHECK_LIMIT_MS = 120_000;
const TABLE = "test/MUTATIONS.md";

const chosen = new Set(process.argv.slice(2));
const guards = GUARDS.filter(({ name }) => chosen.size === 0 || chosen.has(name));
const strangers = [...chosen].filter((name) => !GUARDS.some((guard) => guard.name === name));
if (strangers.length > 0) {
  process.stdout.write(`no such guard: ${strangers.join(", ")}\n`);
  process.exit(2);
}

const copy = mkdtempSync(join(tmpdir(), "city-operator-mutations-"));
process.once("exit", () => rmSync(copy, { recursive: true, force: true }));

/** What git tracks, as it stands in the work tree. */
function copyTree(): void {
  const paths = execFileSync("git", ["ls-files", "-z"], { encoding: "utf8" }).split("\0");
  for (const path of paths.filter((candidate) => candidate !== "")) {
    mkdirSync(dirname(join(copy, path)), { recursive: true });
    cpSync(path, join(copy, path));
  }
  symlinkSync(join(process.cwd(), "node_modules"), join(copy, "node_modules"));
}

async function passes({ args }: Check): Promise<boolean> {
  const { promise, resolve, reject } = Promise.withResolvers<number | null>();
  const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", ...args], {
    cwd: copy,
    stdio: "ignore",
    timeout: CHECK_LIMIT_MS,
  });
  child.once("error", reject);
  child.once("exit", resolve);
  return (await promise) === 0;
}

const unharmed = new Map<string, Promise<boolean>>();

/** Once per check: what fails by itself catches nothing. */
async function passesUnharmed(check: Check): Promise<boolean> {
  const key = check.args.join(" ");
  const known = unharmed.get(key) ?? passes(check);
  unharmed.set(key, known);
  return await known;
}

function mutate({ name, file, search, replace }: Guard): () => void {
  const path = join(copy, file);
  const text = readFileSync(path, "utf8");
  const occurrences = text.split(search).length - 1;
  if (occurrences !== 1)
    throw new Error(`${name}: its text occurs ${occurrences} times in ${file}, not once`);
  writeFileSync(
    path,
    text.replace(search, () => replace),
  );
  return () => writeFileSync(path, text);
}

async function find(guard: Guard): Promise<Finding> {
  // At once, whatever the checks say: a table that does not fit the code is to fail loudly.
  mutate(guard)();
  for (const [index, check] of guard.checks.entries()) {
    if (!(await passesUnharmed(check))) {
      return {
        guard,
        caughtBy: undefined,
        runs: index,
        seconds: 0,
        because: `${check.world} fails unharmed`,
      };
    }
    const restore = mutate(guard);
    const startedMs = performance.now();
    const hasPassed = await passes(check);
    restore();
    const seconds = Math.round((performance.now() - startedMs) / 1_000);
    if (!hasPassed) return { guard, caughtBy: check, runs: index + 1, seconds, because: undefined };
  }
  return { guard, caughtBy: undefined, runs: guard.checks.length, seconds: 0, because: "nobody noticed" };
}

copyTree();
const findings: Finding[] = [];
for (const guard of guards) {
  const finding = await find(guard);
  findings.push(finding);
  const verdict = finding.caughtBy === undefined ? `NOT CAUGHT: ${finding.because}` : finding.caughtBy.world;
  process.stdout.write(
    `${guard.name.padEnd(32)} ${verdict.padEnd(12)} ${finding.runs} runs, ${finding.seconds} s\n`,
  );
}
if (chosen.size === 0) writeFileSync(TABLE, renderTable(findings));
const failed = findings.filter(({ caughtBy }) => caughtBy === undefined).length;
process.stdout.write(`\n${findings.length - failed} passed, ${failed} failed\n`);
process.exitCode = failed === 0 ? 0 : 1;
