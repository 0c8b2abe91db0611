import { existsSync } from "node:fs";
import { copyFile, mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { cacheRoot } from "../control-plane/binaries.ts";
import { writeImage } from "./image/archive.ts";
import { PAUSE_IMAGE } from "./node-configuration.ts";

/** Path of a tar with the image whose container holds a pod's namespaces: nothing but catatonit, which waits and reaps. */
export async function ensurePauseImage(catatonit: string, signal: AbortSignal): Promise<string> {
  const file = join(cacheRoot(), "cluster", `pause-${process.arch}.tar`);
  if (existsSync(file)) return file;
  const root = await mkdtemp(join(tmpdir(), "city-operator-pause-"));
  try {
    await mkdir(join(root, "bin"));
    await copyFile(catatonit, join(root, "bin", "catatonit"));
    const config = { env: [], entrypoint: ["/bin/catatonit", "-P"] };
    await writeImage({ file, names: [PAUSE_IMAGE], layers: [root], config }, signal);
    return file;
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}
