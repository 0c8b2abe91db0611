import { writeFile } from "node:fs/promises";
import { CHART_README, deriveFromCrd, deriveReadme } from "./derived.ts";

/** `make chart-docs`: writes every file of the chart that is made from another one. */

const progress = (line: string): void => {
  process.stderr.write(`${line}\n`);
};
const files = new Map([...(await deriveFromCrd()), [CHART_README, await deriveReadme(progress)] as const]);
for (const [path, text] of files) {
  await writeFile(path, text);
  progress(`wrote ${path}`);
}
