import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startCluster, type Cluster } from "../../../local/cluster/cluster.ts";
import { startClusterDatabase } from "../../../local/cluster/database.ts";
import { buildImage } from "../../../local/cluster/image/build.ts";
import type { LocalNode } from "../../../local/cluster/node.ts";
import { ensureBinaries } from "../../../local/control-plane/binaries.ts";
import { freePort } from "../../../local/control-plane/instance.ts";
import { createKubectl, type Kubectl } from "../../../local/control-plane/kubectl.ts";
import type { MysqlServer } from "../../../local/mysql/mysql-server.ts";
import { createHelm, type Helm } from "../../support/helm.ts";

/**
 * Where the product is installed as its users install it: a local cluster of this file's own with a database inside it, or,
 * with KUBECONFIG, IMAGE and MYSQL_URL, somebody's cluster and database.
 */
export type World = {
  readonly kubeconfigPath: string;
  readonly kubectl: Kubectl;
  /** helm that must succeed: resolves to what it printed, rejects with what it said. */
  helm(args: readonly string[]): Promise<string>;
  /** A rollout goes from one to the other: of the same content, and in somebody's cluster the same. */
  readonly images: readonly [Image, Image];
  /** What only a cluster of our own lets a test do: undefined in somebody's. */
  readonly own:
    | { readonly cluster: Cluster; readonly node: LocalNode; readonly mysql: MysqlServer }
    | undefined;
  /** An administrator's URL of the MySQL server without a database, as the test reaches it. */
  readonly databaseUrl: string;
  /** The same as pods reach it. */
  readonly podDatabaseUrl: string;
  stop(): Promise<void>;
};

export type Image = { readonly repository: string; readonly tag: string };

/** The first time on a machine, everything is built and fetched. */
export const START_LIMIT_MS = 1_800_000;

const HELM_LIMIT_MS = 300_000;
const REPOSITORY = "localhost/city-operator";

const progress = (line: string): void => {
  process.stderr.write(`${line}\n`);
};

/** `name`: of lower-case letters and digits; one at a time on this machine. */
export async function startWorld(name: string): Promise<World> {
  const kubeconfig = process.env["KUBECONFIG"] ?? "";
  const image = process.env["IMAGE"] ?? "";
  if (image === "") return await localWorld(name);
  const mysqlUrl = process.env["MYSQL_URL"] ?? "";
  if (kubeconfig === "" || mysqlUrl === "") {
    throw new Error(
      "with IMAGE, set KUBECONFIG to the cluster's, and MYSQL_URL to an administrator's URL of a MySQL server that this machine reaches; POD_MYSQL_URL too, where the cluster's pods reach it by another",
    );
  }
  return await foreignWorld({ kubeconfig, image, mysqlUrl });
}

async function localWorld(name: string): Promise<World> {
  const signal = new AbortController().signal;
  const file = join("out", "e2e", `${name}.tar`);
  const tags = ["e2e-1", "e2e-2"] as const;
  const names = tags.map((tag) => `${REPOSITORY}:${tag}`);
  const port = await freePort();
  const settings = { name: `e2e-${name}`, level: "node", endsWithUs: true, doors: [port], progress } as const;
  const [cluster] = await Promise.all([
    startCluster(settings),
    buildImage({ file, names, progress }, signal),
  ]);
  try {
    const { node } = cluster;
    if (node === undefined) throw new Error("the cluster has no node");
    const [database] = await Promise.all([
      startClusterDatabase({ cluster, port, progress }, signal),
      node.loadImages(join(process.cwd(), file)),
    ]);
    const { host, user, password } = database.forPods;
    const helm = await createHelm(HELM_LIMIT_MS);
    return {
      kubeconfigPath: cluster.kubeconfigPath,
      kubectl: cluster.kubectl,
      helm: (args) => helmOn(helm, cluster.kubeconfigPath, args),
      images: [
        { repository: REPOSITORY, tag: tags[0] },
        { repository: REPOSITORY, tag: tags[1] },
      ],
      own: { cluster, node, mysql: database.server },
      databaseUrl: database.server.url,
      podDatabaseUrl: `mysql://${user}:${password}@${host}:${port}`,
      async stop() {
        await cluster.stop();
        await Promise.all([helm.close(), rm(file, { force: true })]);
      },
    };
  } catch (error) {
    await cluster.stop();
    throw error;
  }
}

async function foreignWorld(input: {
  readonly kubeconfig: string;
  readonly image: string;
  readonly mysqlUrl: string;
}): Promise<World> {
  const directory = await mkdtemp(join(tmpdir(), "city-operator-e2e-"));
  const { kubectl } = await ensureBinaries(["kubectl"], progress);
  const helm = await createHelm(HELM_LIMIT_MS);
  return {
    kubeconfigPath: input.kubeconfig,
    kubectl: createKubectl({ path: kubectl, kubeconfigPath: input.kubeconfig, cacheDirectory: directory }),
    helm: (args) => helmOn(helm, input.kubeconfig, args),
    images: [imageOf(input.image), imageOf(input.image)],
    own: undefined,
    databaseUrl: input.mysqlUrl,
    podDatabaseUrl: (process.env["POD_MYSQL_URL"] ?? "") || input.mysqlUrl,
    async stop() {
      await Promise.all([helm.close(), rm(directory, { recursive: true, force: true })]);
    },
  };
}

export function imageOf(reference: string): Image {
  const colon = reference.lastIndexOf(":");
  if (colon < reference.lastIndexOf("/")) throw new Error(`the image ${reference} has no tag`);
  return { repository: reference.slice(0, colon), tag: reference.slice(colon + 1) };
}

/** On one cluster. */
async function helmOn(helm: Helm, kubeconfigPath: string, args: readonly string[]): Promise<string> {
  const { stdout, stderr, code } = await helm.run([...args, `--kubeconfig=${kubeconfigPath}`]);
  if (code !== 0) throw new Error(`helm ${args.join(" ")} ended with ${code}: ${stderr}`);
  return stdout;
}
