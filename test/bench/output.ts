import { mkdir, writeFile } from "node:fs/promises";
import { cpus, totalmem } from "node:os";
import { join } from "node:path";

const FOLDER = join("out", "bench");

/** Where a benchmark ran, for whoever compares two runs. */
export const MACHINE = {
  cpu: cpus()[0]?.model ?? "unknown processor",
  cores: cpus().length,
  memoryBytes: totalmem(),
};

/** Writes all samples of a benchmark, with machine and versions, to `out/bench/<name>.json`. */
export async function writeResults(name: string, results: Readonly<Record<string, unknown>>): Promise<void> {
  await mkdir(FOLDER, { recursive: true });
  const whole = { machine: MACHINE, node: process.versions.node, ...results };
  await writeFile(join(FOLDER, `${name}.json`), JSON.stringify(whole));
}

/** What a benchmark is doing, on standard error, with the seconds since it began. */
export function progress(line: string): void {
  process.stderr.write(`${(performance.now() / 1_000).toFixed(0).padStart(5)} s  ${line}\n`);
}

/** Whoever ends a benchmark by a signal ends its servers as well, which go with the process. */
export function exitOnSignals(): void {
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => process.exit(1));
}
