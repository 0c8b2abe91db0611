import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startApiServer, type ApiServer } from "../../local/control-plane/api-server.ts";

/** A real API server for one test file. Its `stop` also removes everything it wrote. */

export type TestApiServer = ApiServer & {
  /** Applies a manifest with CustomResourceDefinitions and waits until they are served. Rejects with kubectl's words. */
  applyCrd(path: string): Promise<void>;
  /** kubectl that must succeed: resolves to what it printed. */
  kubectlOk(args: readonly string[], options?: { readonly input?: string }): Promise<string>;
  /** Makes a namespace of this name; tests of one file keep apart by namespaces, for deleting one takes five seconds. */
  createNamespace(name: string): Promise<string>;
  /** Path of an administrator's kubeconfig that reaches the API server through another port of this machine. */
  kubeconfigVia(port: number): Promise<string>;
};

/** Starting takes about three seconds, plus minutes once per machine for building: give `beforeAll` this long. */
export const START_LIMIT_MS = 900_000;

export async function startTestApiServer(
  options: Omit<Parameters<typeof startApiServer>[0], "directory" | "progress"> = {},
): Promise<TestApiServer> {
  const directory = await mkdtemp(join(tmpdir(), "city-operator-api-"));
  const remove = async (): Promise<void> => {
    await rm(directory, { recursive: true, force: true });
  };
  const progress = (line: string): void => {
    process.stderr.write(`${line}\n`);
  };
  const api = await startApiServer({ ...options, directory, progress }).catch(async (error: unknown) => {
    await remove();
    throw error;
  });
  const kubectlOk: TestApiServer["kubectlOk"] = async (args, input) => {
    const { stdout, stderr, code } = await api.kubectl(args, input);
    if (code !== 0) throw new Error(`kubectl ${args.join(" ")} ended with ${code}: ${stderr}`);
    return stdout;
  };
  const extension = {
    kubectlOk,
    async applyCrd(path: string) {
      await kubectlOk(["apply", "-f", path]);
      await kubectlOk(["wait", "--for=condition=Established", "--timeout=30s", "-f", path]);
    },
    async createNamespace(name: string) {
      await kubectlOk(["create", "namespace", name]);
      return name;
    },
    async kubeconfigVia(port: number) {
      return kubeconfigThrough({ kubeconfigPath: api.kubeconfigPath, url: api.url, port });
    },
    async stop() {
      await api.stop();
      await remove();
    },
  };
  // Copying by spread would freeze `apiServer`, which is another process after a restart.
  return Object.assign(Object.create(api) as ApiServer, extension);
}

/** Writes the same kubeconfig with another port of this machine, such as a proxy's, in the place of `url`. Its path. */
export async function kubeconfigThrough(input: {
  readonly kubeconfigPath: string;
  readonly url: string;
  readonly port: number;
}): Promise<string> {
  const path = `${input.kubeconfigPath}.via-${input.port}`;
  const text = await readFile(input.kubeconfigPath, "utf8");
  await writeFile(path, text.replaceAll(input.url, `https://127.0.0.1:${input.port}`), { mode: 0o600 });
  return path;
}
