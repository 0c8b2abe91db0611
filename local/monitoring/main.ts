import { writeFile } from "node:fs/promises";
import { deriveMonitoring } from "./derived.ts";

/** `make monitoring-docs`: writes every file about monitoring that is made from the code. */

for (const [path, text] of deriveMonitoring()) {
  await writeFile(path, text);
  process.stderr.write(`wrote ${path}\n`);
}
