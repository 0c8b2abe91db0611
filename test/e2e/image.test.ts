import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { promisify } from "node:util";
import type { ImageArchive } from "../../local/cluster/image/archive.ts";
import { buildImage } from "../../local/cluster/image/build.ts";
import { buildWithEngine } from "./harness/engine.ts";

/** The image: always the same, with all that its processes need and nothing else. */

const NAMES = ["localhost/city-operator:test"];
const FIRST_TIME_LIMIT_MS = 600_000;

type Config = {
  readonly config: {
    readonly Env: readonly string[];
    readonly User: string;
    readonly WorkingDir: string;
    readonly Entrypoint: readonly string[];
    readonly Cmd: readonly string[];
  };
};

let directory: string;
let first: ImageArchive;
let root: string;
let config: Config["config"];

const run = promisify(execFile);
const build = (name: string): Promise<ImageArchive> =>
  buildImage(
    { file: join(directory, name), names: NAMES, progress: (line) => process.stderr.write(`${line}\n`) },
    new AbortController().signal,
  );

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "city-operator-image-"));
  first = await build("first.tar");
  const archive = join(directory, "archive");
  root = join(directory, "root");
  await Promise.all([mkdir(archive), mkdir(root)]);
  await run("tar", ["-xf", first.file, "-C", archive]);
  const [image] = JSON.parse(await readFile(join(archive, "manifest.json"), "utf8")) as {
    readonly Config: string;
    readonly Layers: readonly string[];
  }[];
  ({ config } = JSON.parse(await readFile(join(archive, image?.Config ?? ""), "utf8")) as Config);
  for (const layer of image?.Layers ?? []) await run("tar", ["-xf", join(archive, layer), "-C", root]);
}, FIRST_TIME_LIMIT_MS);

afterAll(async () => {
  await rm(directory, { recursive: true, force: true });
});

type Output = { readonly stdout: string; readonly stderr: string };

/** Runs the image's entry on the image's files as the image's user, as far as that goes without a container. */
const entry = (...args: readonly string[]): Promise<Output> => entryOf(root, ...args);

async function entryOf(files: string, ...args: readonly string[]): Promise<Output> {
  const command = ["--userspec", config.User, files, ...config.Entrypoint, ...args];
  return await run("chroot", command, { env: Object.fromEntries(config.Env.map((line) => line.split("="))) });
}

const digestOf = async (file: string): Promise<string> =>
  createHash("sha256")
    .update(await readFile(file))
    .digest("hex");

/** One line for each file below a folder: its path and what it holds. */
async function contentsOf(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const lines: string[] = [];
  for (const file of files) lines.push(`${relative(folder, file)} ${await digestOf(file)}`);
  return lines.toSorted();
}

test(
  "the same inputs make the same image",
  async () => {
    expect((await build("second.tar")).digest).toBe(first.digest);
  },
  FIRST_TIME_LIMIT_MS,
);

test(
  "a container engine makes the same of the Dockerfile, file for file",
  async () => {
    const engine = await buildWithEngine(directory, new AbortController().signal);
    const ours = await contentsOf(join(root, "app"));
    expect(ours.length).toBeGreaterThan(500);
    expect(await contentsOf(join(engine.root, "app"))).toEqual(ours);
    for (const file of ["usr/local/bin/node", "usr/lib/libatomic.so.1"]) {
      expect([file, await digestOf(join(engine.root, file))]).toEqual([
        file,
        await digestOf(join(root, file)),
      ]);
    }
    expect(engine.config).toEqual(expect.objectContaining({ ...config }));
    await expect(entryOf(engine.root, "worker")).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringContaining("DATABASE_URL"),
    });
  },
  FIRST_TIME_LIMIT_MS,
);

test("it is small: Node, its libraries, the packages of production, and the sources", () => {
  expect(first.bytes).toBeLessThan(230_000_000);
});

test("user, environment and entry are those of the Dockerfile", async () => {
  const dockerfile = await readFile("Dockerfile", "utf8");
  const words = (instruction: string): unknown =>
    JSON.parse(new RegExp(`^${instruction} (.*)$`, "m").exec(dockerfile)?.[1] ?? "");
  expect(config).toEqual({
    Env: ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "NODE_ENV=production"],
    User: "65532:65532",
    WorkingDir: "/app",
    Entrypoint: words("ENTRYPOINT"),
    Cmd: words("CMD"),
  });
});

test("its packages are those that the lock file has for production, without types and maps", async () => {
  const lock = JSON.parse(await readFile("package-lock.json", "utf8")) as {
    readonly packages: Readonly<
      Record<string, { readonly dev?: boolean; readonly link?: boolean; readonly optional?: boolean }>
    >;
  };
  const wanted = Object.entries(lock.packages)
    .filter(([path, { dev, link }]) => path.startsWith("node_modules/") && dev !== true && link !== true)
    .filter(([, { optional }]) => optional !== true)
    .map(([path]) => path);
  expect(wanted.length).toBeGreaterThan(20);
  expect(wanted.filter((path) => !existsSync(join(root, "app", path)))).toEqual([]);
  for (const absent of ["jest", "typescript", "oxlint", "node", "@pulumi", "@types/node/index.d.ts"]) {
    expect([absent, existsSync(join(root, "app/node_modules", absent))]).toEqual([absent, false]);
  }
});

test("there is no shell, no package manager, and nothing of the chart or the tests", async () => {
  const programs = (
    await Promise.all(
      ["bin", "sbin", "usr/bin", "usr/sbin", "usr/local/bin"].map((folder) =>
        readdir(join(root, folder)).catch(() => []),
      ),
    )
  ).flat();
  expect(programs.filter((name) => /^(sh|bash|dash|busybox|npm|npx|apt.*|dpkg)$/.test(name))).toEqual([]);
  expect((await readdir(join(root, "app"))).toSorted()).toEqual([
    "crds",
    "db",
    "image",
    "local",
    "node_modules",
    "operator",
    "package-lock.json",
    "package.json",
    "plugin",
    "runtime",
    "worker",
  ]);
});

test("its entry runs as a user who is not root, and lists its commands", async () => {
  const { stdout } = await entry(...config.Cmd);
  expect(stdout).toMatch(/operator .*\n +worker .*\n +migrate .*\n +audit /);
});

test.each(["operator", "worker", "migrate", "audit", "traffic"])(
  "%s starts and says what it lacks",
  async (command) => {
    await expect(entry(command)).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/DATABASE_URL|FEED_URL/),
    });
  },
  30_000,
);

test("an unknown command is refused with the list of those that there are", async () => {
  await expect(entry("shell")).rejects.toMatchObject({ code: 2, stderr: expect.stringContaining("usage:") });
});
