import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { cacheRoot } from "./binaries.ts";
import { withBuildLock } from "./build-lock.ts";
import { goBuild, readGoVersion } from "./go.ts";

/** Programs of a Go module of our own that only some need, each module with its folder in the cache. */

export type GoModule<Name extends string> = {
  /** The folder of its go.mod and go.sum. */
  readonly directory: string;
  /** The folder's name in the cache. */
  readonly cacheName: string;
  /** Each program's package. A package whose last element is no version is built under that element's name. */
  readonly packages: Readonly<Record<Name, string>>;
  readonly flags: readonly string[];
  /** Files of our own that are built, relative to the directory; none for a module that only names others' programs. */
  readonly sources?: readonly string[];
  /** Wall time of a build from nothing on two cores, for the person who waits. */
  readonly duration: string;
};

/**
 * Name → path of the wanted programs, built in one go if this machine has not done so yet. Errors: those of `goBuild` and
 * `readGoVersion`.
 */
export async function ensureGoPrograms<Name extends string, Wanted extends Name>(
  module: GoModule<Name>,
  wanted: readonly Wanted[],
  progress: (line: string) => void,
  signal: AbortSignal = new AbortController().signal,
): Promise<Readonly<Record<Wanted, string>>> {
  const directory = join(cacheRoot(), module.cacheName, await keyOf(module, signal));
  const missing = (): readonly Wanted[] => wanted.filter((name) => !existsSync(join(directory, name)));
  if (missing().length > 0) {
    await mkdir(directory, { recursive: true });
    await withBuildLock({ file: join(directory, "build.lock"), progress }, signal, async () => {
      if (missing().length > 0) await build({ module, names: missing(), directory, progress }, signal);
    });
  }
  return Object.fromEntries(wanted.map((name) => [name, join(directory, name)])) as Record<Wanted, string>;
}

async function keyOf<Name extends string>(module: GoModule<Name>, signal: AbortSignal): Promise<string> {
  const files = ["go.mod", "go.sum", ...(module.sources ?? [])];
  const [goVersion, ...texts] = await Promise.all([
    readGoVersion(module.directory, signal),
    ...files.map((file) => readFile(join(module.directory, file), "utf8")),
  ]);
  return createHash("sha256")
    .update([...texts, goVersion, ...module.flags].join("\0"))
    .digest("hex")
    .slice(0, 16);
}

async function build<Name extends string>(
  input: {
    readonly module: GoModule<Name>;
    readonly names: readonly Name[];
    readonly directory: string;
    readonly progress: (line: string) => void;
  },
  signal: AbortSignal,
): Promise<void> {
  const { module, names, directory, progress } = input;
  progress(
    `building ${names.join(", ")} from Go modules: ${module.duration}, once; then cached in ${directory}`,
  );
  const temporary = await mkdtemp(join(directory, "building-"));
  try {
    const packages = names.map((name) => module.packages[name]);
    const args = ["-o", `${temporary}/`, ...module.flags, ...packages];
    await goBuild({ module: module.directory, args, progress }, signal);
    // Renaming on one file system is atomic: nobody ever starts half a program.
    for (const name of names) await rename(join(temporary, name), join(directory, name));
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}
