import { ensureBinaries } from "./binaries.ts";

/** `node local/control-plane/build.ts`: makes everything ready that an API server on this machine needs. */

const progress = (line: string): void => {
  process.stderr.write(`${line}\n`);
};
const stop = new AbortController();
process.once("SIGINT", () => {
  stop.abort(new Error("interrupted"));
});
try {
  const binaries = await ensureBinaries(["kube-apiserver", "etcd", "kubectl"], progress, stop.signal);
  for (const path of Object.values(binaries)) progress(`ready: ${path}`);
} catch (error) {
  progress(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}
