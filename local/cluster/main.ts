import { join, resolve } from "node:path";
import { failureText } from "../../runtime/shutdown.ts";
import { buildImage } from "./image/build.ts";
import { importIntoRunning, removeDeveloperCluster, startDeveloperCluster } from "./developer.ts";

/** `make cluster` and `make cluster-down`: a Kubernetes with one node, a MySQL server and our image, for as long as one likes. */

const IMAGE = "localhost/city-operator:dev";
const startedMs = performance.now();
const interrupted = new AbortController();
process.once("SIGINT", () => interrupted.abort(new Error("interrupted")));
process.once("SIGTERM", () => interrupted.abort(new Error("terminated")));

const progress = (line: string): void => {
  const seconds = ((performance.now() - startedMs) / 1_000).toFixed(1).padStart(6);
  process.stderr.write(`${seconds} s  ${line}\n`);
};

async function up(): Promise<void> {
  progress("starting Kubernetes (the very first time this fetches and builds it: about fifteen minutes)");
  const { cluster, database } = await startDeveloperCluster(progress, interrupted.signal);
  const { host, port, user, password } = database.forPods;
  progress(`MySQL is up for pods at mysql://${user}:${password}@${host}:${port}`);
  const file = resolve("out", "image", "city-operator.tar");
  const { digest } = await buildImage({ file, names: [IMAGE], progress }, interrupted.signal);
  await importIntoRunning(file);
  progress(`the node has the image ${IMAGE} (${digest})`);
  process.stdout.write(`
the cluster is up, and stays until make cluster-down:

  export KUBECONFIG=${cluster.kubeconfigPath}
  ${cluster.kubectlPath} get nodes

its MySQL server, for programs of this machine: ${database.server.url}
logs of its parts: ${join(cluster.directory, "log")}
`);
}

async function down(): Promise<void> {
  const wasThere = await removeDeveloperCluster();
  progress(wasThere ? "the cluster is gone, and nothing of it is left" : "there is no cluster");
}

const command = process.argv[2];
try {
  if (command === "up") {
    await up();
    // What was started stays, and must not keep this process.
    process.exit(0);
  }
  if (command === "down") await down();
  else throw new Error("usage: node local/cluster/main.ts up | down");
} catch (error) {
  progress(failureText(error));
  process.exitCode = 1;
}
