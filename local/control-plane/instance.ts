import { generateKeyPairSync, randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";

/** What stays the same when a local API server is stopped and started again on its directory: ports, keys, tokens. */

export type UserRequest = { readonly name: string; readonly groups: readonly string[] };

export type Instance = {
  readonly apiPort: number;
  readonly etcdPort: number;
  readonly etcdPeerPort: number;
  readonly token: string;
  readonly users: readonly (UserRequest & { readonly token: string })[];
};

/** Below the range from which systems take ports for outgoing connections, so that nobody sits on ours between two runs. */
const PORT_MIN = 20_000;
const PORT_MAX = 32_000;
const PORT_ATTEMPTS_MAX = 100;
const ADMIN: UserRequest = { name: "admin", groups: ["system:masters"] };

/** Reads the instance that lives in `directory`, or makes a new one; adds the users that it does not have yet. */
export async function prepareInstance(directory: string, users: readonly UserRequest[]): Promise<Instance> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const file = join(directory, "instance.json");
  const known = existsSync(file)
    ? (JSON.parse(await readFile(file, "utf8")) as Instance)
    : await newInstance();
  const added = users.filter((user) => known.users.every((other) => other.name !== user.name));
  const instance: Instance = {
    ...known,
    users: [...known.users, ...added.map(({ name, groups }) => ({ name, groups, token: newToken() }))],
  };
  await writePrivately(file, JSON.stringify(instance, undefined, 2));
  await writePrivately(join(directory, "tokens.csv"), tokenFile(instance));
  const keyFile = join(directory, "sa.key");
  if (!existsSync(keyFile)) {
    const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    await writePrivately(keyFile, privateKey.export({ type: "pkcs1", format: "pem" }));
  }
  return instance;
}

/** A kubeconfig that needs no other file. `ca` is PEM. */
export function kubeconfigText(input: {
  readonly url: string;
  readonly token: string;
  readonly ca: string;
}): string {
  return `apiVersion: v1
kind: Config
clusters:
  - name: local
    cluster:
      server: ${input.url}
      certificate-authority-data: ${Buffer.from(input.ca).toString("base64")}
users:
  - name: local
    user:
      token: ${input.token}
contexts:
  - name: local
    context:
      cluster: local
      user: local
      namespace: default
current-context: local
`;
}

export async function writePrivately(file: string, text: string): Promise<void> {
  await writeFile(file, text, { mode: 0o600 });
}

async function newInstance(): Promise<Instance> {
  const [apiPort, etcdPort, etcdPeerPort] = await freePorts();
  return { apiPort, etcdPort, etcdPeerPort, token: newToken(), users: [] };
}

function newToken(): string {
  return randomBytes(16).toString("hex");
}

/** Lines of token, user, uid and "group,group", as kube-apiserver's --token-auth-file wants them. */
function tokenFile(instance: Instance): string {
  const line = (token: string, user: UserRequest): string =>
    `${token},${user.name},${user.name},"${user.groups.join(",")}"\n`;
  return line(instance.token, ADMIN) + instance.users.map((user) => line(user.token, user)).join("");
}

async function freePorts(): Promise<[number, number, number]> {
  const ports = new Set<number>();
  for (let attempt = 0; attempt < PORT_ATTEMPTS_MAX; attempt++) {
    ports.add(await freePort());
    const [api, etcd, etcdPeer] = ports;
    if (api !== undefined && etcd !== undefined && etcdPeer !== undefined) return [api, etcd, etcdPeer];
  }
  throw new Error("three free ports could not be told apart");
}

/** A port on which nobody listens now, and which nobody is given by chance. */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < PORT_ATTEMPTS_MAX; attempt++) {
    const port = PORT_MIN + Math.floor(Math.random() * (PORT_MAX - PORT_MIN));
    if (await isFree(port)) return port;
  }
  throw new Error(`no free port between ${PORT_MIN} and ${PORT_MAX}`);
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  const outcome = Promise.withResolvers<boolean>();
  server.once("error", () => {
    outcome.resolve(false);
  });
  server.listen(port, "127.0.0.1", () => {
    server.close(() => {
      outcome.resolve(true);
    });
  });
  return await outcome.promise;
}
