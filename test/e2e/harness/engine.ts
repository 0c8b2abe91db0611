import { existsSync } from "node:fs";
import { chmod, cp, mkdir, mkdtemp, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fillBase, fillNodeStage } from "../../../local/cluster/image/base.ts";
import { cacheRoot } from "../../../local/control-plane/binaries.ts";
import { downloadProgram } from "../../../local/mysql/debian-download.ts";
import { runProgram } from "../../../local/mysql/run-program.ts";
import { OperationalError } from "../../../runtime/errors.ts";

/**
 * buildah, a container engine that needs no daemon, from Debian and installed nowhere, with base images that stand for those of
 * a registry: the same Debian packages beneath, and for the build stage Node, a shell, find and npm.
 */

const SUITE = "bookworm";
const BUILDAH =
  "buildah libgpgme11 libassuan0 libgpg-error0 libdevmapper1.02.1 libudev1 libseccomp2 libselinux1 libpcre2-8-0";
const STAGE = "dash findutils libselinux1 libpcre2-8-0";
/** As the registry's Node image brings one along. */
const NPM_VERSION = "11.21.2";
const PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
const NODE_IMAGE = "localhost/node:test";
const BASE_IMAGE = "localhost/base:test";
const BUILT = "localhost/city-operator:engine";
const CERTIFICATES = "/etc/ssl/certs";

export type EngineImage = {
  /** The image's files as a container sees them. */
  readonly root: string;
  readonly config: Readonly<Record<string, unknown>>;
};

const progress = (line: string): void => {
  process.stderr.write(`${line}\n`);
};

/** Builds the repository's Dockerfile, in and below `directory`. */
export async function buildWithEngine(directory: string, signal: AbortSignal): Promise<EngineImage> {
  const buildah = await startBuildah(directory, signal);
  const stage = await mkdtemp(join(directory, "stage-"));
  await fillBase(stage, progress, signal);
  await fillNodeStage(stage, progress, signal);
  await cp(await debian("stage", STAGE, signal), stage, { recursive: true, verbatimSymlinks: true });
  await addNpm(stage, signal);
  // npm asks the registry as it does on this machine.
  await makeBase({
    buildah,
    directory,
    name: NODE_IMAGE,
    root: stage,
    env: [PATH, "HOME=/root", ...npmTrust()],
  });
  const base = await mkdtemp(join(directory, "base-"));
  await fillBase(base, progress, signal);
  await makeBase({ buildah, directory, name: BASE_IMAGE, root: base, env: [PATH] });
  const bases = [`NODE_IMAGE=${NODE_IMAGE}`, `BASE_IMAGE=${BASE_IMAGE}`].flatMap((value) => [
    "--build-arg",
    value,
  ]);
  const volumes = (await npmVolumes(signal)).flatMap((volume) => ["--volume", volume]);
  await buildah(["bud", "--layers=false", ...bases, ...volumes, "--tag", BUILT, process.cwd()]);
  const container = (await buildah(["from", BUILT])).trim();
  const root = (await buildah(["mount", container])).trim();
  const { OCIv1 } = JSON.parse(await buildah(["inspect", "--type=image", BUILT])) as {
    readonly OCIv1: { readonly config: EngineImage["config"] };
  };
  return { root, config: OCIv1.config };
}

type Buildah = (args: readonly string[]) => Promise<string>;

/**
 * buildah starts itself anew for every RUN, without our environment: so the libraries that this machine lacks are laid beneath its
 * own, in a mount namespace that ends with the command.
 */
const WITH_LIBRARIES = 'mount -t overlay overlay -o lowerdir="$1" "$2" && shift 2 && exec "$@"';

async function startBuildah(directory: string, signal: AbortSignal): Promise<Buildah> {
  const root = await debian("buildah", BUILDAH, signal);
  const triplet = process.arch === "arm64" ? "aarch64-linux-gnu" : "x86_64-linux-gnu";
  const machine = join("/usr/lib", triplet);
  const libraries = [machine, join(root, "usr/lib", triplet), join(root, "lib", triplet)].join(":");
  const policy = join(directory, "policy.json");
  await writeFile(policy, JSON.stringify({ default: [{ type: "insecureAcceptAnything" }] }));
  const registries = join(directory, "registries.conf");
  await writeFile(registries, "");
  const env = { BUILDAH_ISOLATION: "chroot", CONTAINERS_REGISTRIES_CONF: registries };
  const storage = [
    "--storage-driver=vfs",
    `--root=${join(directory, "storage")}`,
    `--runroot=${join(directory, "run")}`,
  ];
  const program = ["sh", "-c", WITH_LIBRARIES, "sh", libraries, machine, join(root, "usr/bin/buildah")];
  return async ([command = "", ...args]) => {
    const signed = ["bud", "from"].includes(command) ? [`--signature-policy=${policy}`] : [];
    const all = ["--mount", ...program, ...storage, command, ...signed, ...args];
    return await runProgram("unshare", all, { what: `buildah ${command}`, env }, signal);
  };
}

async function makeBase(input: {
  readonly buildah: Buildah;
  readonly directory: string;
  readonly name: string;
  readonly root: string;
  readonly env: readonly string[];
}): Promise<void> {
  const dockerfile = await mkdtemp(join(input.directory, "dockerfile-"));
  const lines = ["FROM scratch", "COPY . /", ...input.env.map((variable) => `ENV ${variable}`)];
  const file = join(dockerfile, "Dockerfile");
  await writeFile(file, `${lines.join("\n")}\n`);
  await input.buildah(["bud", "--file", file, "--tag", input.name, input.root]);
}

/** npm bundled with all that it needs, which not every machine's own is. */
async function addNpm(root: string, signal: AbortSignal): Promise<void> {
  const cached = join(cacheRoot(), "image", `npm-${NPM_VERSION}`);
  if (!existsSync(cached)) {
    const making = await mkdtemp(join(cacheRoot(), "image", "npm-"));
    const args = ["install", "--prefix", making, "--no-audit", "--no-fund", `npm@${NPM_VERSION}`];
    await runProgram("npm", args, { what: "fetching npm" }, signal);
    await rename(making, cached);
  }
  const modules = join(root, "usr/local/lib/node_modules");
  await mkdir(modules, { recursive: true });
  await cp(join(cached, "node_modules/npm"), join(modules, "npm"), { recursive: true });
  const starter = join(root, "usr/local/bin/npm");
  const command = "/usr/local/bin/node /usr/local/lib/node_modules/npm/bin/npm-cli.js";
  await writeFile(starter, `#!/bin/sh\nexec ${command} "$@"\n`);
  await chmod(starter, 0o755);
}

/** What lets npm trust this machine's registry: certificates that Node.js is told of, where they are among the machine's. */
function npmTrust(): readonly string[] {
  const file = process.env["NODE_EXTRA_CA_CERTS"] ?? "";
  return file.startsWith(CERTIFICATES) ? [`NODE_EXTRA_CA_CERTS=${file}`] : [];
}

/** This machine's settings of npm, what it has fetched before, and the certificates that it trusts. */
async function npmVolumes(signal: AbortSignal): Promise<readonly string[]> {
  const setting = async (name: string): Promise<string> =>
    (await runProgram("npm", ["config", "get", name], { what: "reading npm's settings" }, signal)).trim();
  const cache = await setting("cache");
  const settings = await setting("userconfig");
  await mkdir(cache, { recursive: true });
  return [
    `${cache}:/root/.npm`,
    ...(existsSync(settings) ? [`${settings}:/root/.npmrc:ro`] : []),
    ...(existsSync(CERTIFICATES) ? [`${CERTIFICATES}:${CERTIFICATES}:ro`] : []),
  ];
}

/** Where Debian's packages of this title are unpacked. */
async function debian(title: string, packages: string, signal: AbortSignal): Promise<string> {
  const directory = join(cacheRoot(), "engine", `${title}-${SUITE}-${process.arch}`);
  const missing = (): OperationalError =>
    new OperationalError({
      code: "engine-packages",
      remedy: "give-up",
      message: "buildah and its base images consist of Debian packages, and apt has no Debian source here",
    });
  const program = { suite: SUITE, packages: packages.split(" "), title: `${packages}: once`, missing };
  await downloadProgram({ program, directory, progress }, signal);
  return directory;
}
