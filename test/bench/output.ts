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
