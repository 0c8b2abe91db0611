import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { cp, glob, mkdir, mkdtemp, readdir, readFile, rename, rm, stat } from "node:fs/promises";
import { basename, join, posix } from "node:path";
import { fileURLToPath } from "node:url";
import { cacheRoot } from "../../control-plane/binaries.ts";
import { runProgram } from "../../mysql/run-program.ts";
import { writeImage, type ImageArchive, type ImageConfig } from "./archive.ts";
import { fillBase, fillNodeStage } from "./base.ts";
import { parseDockerfile, type Instruction, type Stage } from "./dockerfile.ts";

/**
 * Builds the image by following the Dockerfile, without a container engine: stages are folders, base images are unpacked
 * Debian packages, and RUN, which is only ever an installation from the lock file, runs in its folder with the machine's npm.
 */

const CONTEXT = fileURLToPath(new URL("../../../", import.meta.url));
const PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

type Build = {
  readonly context: string;
  readonly workspace: string;
  /** Stages that are done, by name. */
  readonly roots: Map<string, string>;
  readonly progress: (line: string) => void;
  readonly signal: AbortSignal;
};

/** About five seconds; the first time some more. `names`: whole references. Errors: `image-base`, those of the programs. */
export async function buildImage(
  input: {
    readonly file: string;
    readonly names: readonly string[];
    /** A folder with a Dockerfile and what it copies; this repository unless told otherwise. */
    readonly context?: string;
    readonly progress: (line: string) => void;
  },
  signal: AbortSignal,
): Promise<ImageArchive> {
  const { context = CONTEXT } = input;
  const { stages } = parseDockerfile(await readFile(join(context, "Dockerfile"), "utf8"));
  const [last, ...before] = stages.toReversed();
  if (last === undefined) throw new Error("the Dockerfile has no stage");
  await mkdir(join(cacheRoot(), "image"), { recursive: true });
  const workspace = await mkdtemp(join(cacheRoot(), "image", "building-"));
  try {
    const build: Build = { context, workspace, roots: new Map(), progress: input.progress, signal };
    for (const stage of before.toReversed()) await buildStage(stage, build);
    const { layers, config } = await buildFinalStage(last, build);
    return await writeImage({ file: input.file, names: input.names, layers, config }, signal);
  } finally {
    await rm(workspace, { recursive: true, force: true });
  }
}

async function buildStage(stage: Stage, build: Build): Promise<void> {
  const root = await mkdtemp(join(build.workspace, "root-"));
  await fillNodeStage(root, build.progress, build.signal);
  let workdir = "/";
  const done: Instruction[] = [];
  for (const instruction of stage.instructions) {
    done.push(instruction);
    if (instruction.kind === "workdir") {
      workdir = posix.resolve(workdir, instruction.path);
      await mkdir(join(root, workdir), { recursive: true });
    } else if (instruction.kind === "copy") {
      await copy({ instruction, workdir, root, build });
    } else if (instruction.kind === "run") {
      await runOnce({ command: instruction.command, folder: join(root, workdir), done, build });
    } else {
      throw new SyntaxError(`${instruction.kind} has no effect in a stage that is not the last`);
    }
  }
  if (stage.name !== undefined) build.roots.set(stage.name, root);
}

/** Each COPY is a layer of its own, as every builder makes it. */
async function buildFinalStage(
  stage: Stage,
  build: Build,
): Promise<{ readonly layers: readonly string[]; readonly config: ImageConfig }> {
  const base = await mkdtemp(join(build.workspace, "root-"));
  await fillBase(base, build.progress, build.signal);
  const layers = [base];
  const env = [PATH];
  const config: Partial<Record<"workdir" | "user", string>> &
    Partial<Record<"entrypoint" | "cmd", readonly string[]>> = {};
  for (const instruction of stage.instructions) {
    switch (instruction.kind) {
      case "copy": {
        const root = await mkdtemp(join(build.workspace, "root-"));
        await copy({ instruction, workdir: config.workdir ?? "/", root, build });
        layers.push(root);
        break;
      }
      case "workdir":
        config.workdir = posix.resolve(config.workdir ?? "/", instruction.path);
        break;
      case "env":
        env.push(`${instruction.name}=${instruction.value}`);
        break;
      case "user":
        config.user = instruction.user;
        break;
      case "entrypoint":
      case "cmd":
        config[instruction.kind] = instruction.words;
        break;
      case "run":
        throw new SyntaxError("nothing can be run in the last stage: its base has no shell");
      default:
        instruction satisfies never;
    }
  }
  return { layers, config: { ...config, env, entrypoint: config.entrypoint ?? [] } };
}

/** As Docker does it: of a folder its content, of a file the file; several of them, or a target with a slash, make a folder. */
async function copy(input: {
  readonly instruction: Extract<Instruction, { readonly kind: "copy" }>;
  readonly workdir: string;
  readonly root: string;
  readonly build: Build;
}): Promise<void> {
  const { instruction, root, build } = input;
  const from = instruction.from === undefined ? build.context : build.roots.get(instruction.from);
  if (from === undefined) throw new SyntaxError(`there is no stage ${instruction.from} to copy from`);
  const target = join(root, posix.resolve(input.workdir, instruction.target));
  const intoFolder = instruction.target.endsWith("/") || instruction.sources.length > 1;
  for (const pattern of instruction.sources) {
    const sources = await Array.fromAsync(glob(join(from, pattern)));
    if (sources.length === 0) throw new Error(`COPY ${pattern}: there is no such file`);
    for (const source of sources.toSorted()) {
      const isFolder = (await stat(source)).isDirectory();
      const place = intoFolder && !isFolder ? join(target, basename(source)) : target;
      await cp(source, place, { recursive: true, verbatimSymlinks: true });
    }
  }
}

/** Runs the command in the folder, unless the cache has what came of it: the same steps before, on the same files. */
async function runOnce(input: {
  readonly command: string;
  readonly folder: string;
  readonly done: readonly Instruction[];
  readonly build: Build;
}): Promise<void> {
  const { command, folder, build } = input;
  const key = createHash("sha256").update(JSON.stringify([process.version, process.arch, input.done]));
  for (const file of (await readdir(folder)).toSorted()) key.update(await readFile(join(folder, file)));
  const cached = join(cacheRoot(), "image", `run-${key.digest("hex").slice(0, 16)}`);
  if (!existsSync(cached)) {
    build.progress(`image: ${command}`);
    const making = join(build.workspace, "run");
    await cp(folder, making, { recursive: true });
    await runProgram("sh", ["-c", command], { what: command, cwd: making }, build.signal);
    await rename(making, cached);
  }
  await cp(cached, folder, { recursive: true, verbatimSymlinks: true });
}
