import { resolve } from "node:path";
import { failureText } from "../../../runtime/shutdown.ts";
import { importIntoRunning } from "../developer.ts";
import { buildImage } from "./build.ts";

/** `make image`: builds the image into `out/`, and gives it to the cluster of `make cluster` where that runs. */

const NAME = process.env["IMAGE"] || "localhost/city-operator:dev";
/** A folder with another release's Dockerfile and sources. */
const CONTEXT = process.env["CONTEXT"] || undefined;
const interrupted = new AbortController();
process.once("SIGINT", () => interrupted.abort(new Error("interrupted")));

const progress = (line: string): void => {
  process.stderr.write(`${line}\n`);
};

try {
  // Inside the cluster, this folder is not the current one.
  const file = resolve("out", "image", "city-operator.tar");
  const { digest, bytes } = await buildImage(
    { file, names: [NAME], ...(CONTEXT === undefined ? {} : { context: resolve(CONTEXT) }), progress },
    interrupted.signal,
  );
  progress(`${NAME}, ${Math.round(bytes / 1e6)} MB, ${digest}\n  ${file} (docker load -i, podman load -i)`);
  if (await importIntoRunning(file)) progress(`  and in the cluster of make cluster`);
} catch (error) {
  progress(failureText(error));
  process.exitCode = 1;
}
