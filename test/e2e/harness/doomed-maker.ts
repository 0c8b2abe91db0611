import { startCluster } from "../../../local/cluster/cluster.ts";

/** A process that makes a cluster with a node and waits to be killed. */

const progress = (line: string): void => {
  process.stderr.write(`${line}\n`);
};
const { kubectl } = await startCluster({ name: "doomed", level: "node", endsWithUs: true, progress });
await kubectl(["run", "left", "--image=localhost/pause:1", "--restart=Never"]);
await kubectl(["wait", "--for=condition=Ready", "pod/left", "--timeout=30s"]);
process.stdout.write("up\n");
setInterval(() => undefined, 1_000);
