import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, mkdtemp, rename, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { runProgram } from "../../mysql/run-program.ts";

/**
 * An image as one tar, in the layout of the OCI with Docker's manifest beside it: containerd, podman and docker load it. The
 * same folders and configuration make the same bytes, whenever and in whichever folder they are packed.
 */

export type ImageConfig = {
  readonly env: readonly string[];
  readonly user?: string;
  readonly workdir?: string;
  readonly entrypoint: readonly string[];
  readonly cmd?: readonly string[];
};

export type ImageArchive = {
  readonly file: string;
  /** Of the manifest: what `image@sha256:…` names. */
  readonly digest: string;
  readonly bytes: number;
};

const TAR = ["--sort=name", "--owner=0", "--group=0", "--numeric-owner", "--mtime=@0", "--format=gnu"];
/** The image's platform, as Go names it. */
const ARCHITECTURE = process.arch === "arm64" ? "arm64" : "amd64";
const MEDIA = "application/vnd.oci.image";

type Blob = { readonly mediaType: string; readonly digest: string; readonly size: number };

/** Writes `file`. `name` is a whole reference, such as "localhost/city-operator:dev". */
export async function writeImage(
  input: {
    readonly file: string;
    readonly names: readonly string[];
    /** Folders, each of which becomes one layer. */
    readonly layers: readonly string[];
    readonly config: ImageConfig;
  },
  signal: AbortSignal,
): Promise<ImageArchive> {
  const { file, names, config } = input;
  await mkdir(dirname(file), { recursive: true });
  const folder = await mkdtemp(join(dirname(file), "image-"));
  const blobs = join(folder, "blobs", "sha256");
  try {
    await mkdir(blobs, { recursive: true });
    const layers: Blob[] = [];
    for (const root of input.layers) layers.push(await packLayer(root, blobs, signal));
    const configBlob = await putJson(blobs, `${MEDIA}.config.v1+json`, {
      architecture: ARCHITECTURE,
      os: "linux",
      config: {
        Env: config.env,
        User: config.user,
        WorkingDir: config.workdir,
        Entrypoint: config.entrypoint,
        Cmd: config.cmd,
      },
      rootfs: { type: "layers", diff_ids: layers.map(({ digest }) => digest) },
    });
    const manifest = await putJson(blobs, `${MEDIA}.manifest.v1+json`, {
      schemaVersion: 2,
      mediaType: `${MEDIA}.manifest.v1+json`,
      config: configBlob,
      layers,
    });
    await writeFile(join(folder, "oci-layout"), JSON.stringify({ imageLayoutVersion: "1.0.0" }));
    await writeFile(join(folder, "index.json"), indexJson(manifest, names));
    await writeFile(join(folder, "manifest.json"), dockerManifest(configBlob, layers, names));
    const packed = `${file}.partial`;
    await runProgram(
      "tar",
      [...TAR, "-C", folder, "-cf", packed, "."],
      { what: "packing the image" },
      signal,
    );
    await rename(packed, file);
    return { file, digest: manifest.digest, bytes: (await stat(file)).size };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Everybody may read all of it, whatever the umask was that it was checked out or unpacked with. */
async function packLayer(root: string, blobs: string, signal: AbortSignal): Promise<Blob> {
  const partial = join(blobs, "partial");
  const args = [...TAR, "--mode=u=rwX,go=rX", "-C", root, "-cf", partial, "."];
  await runProgram("tar", args, { what: "packing a layer" }, signal);
  const hash = createHash("sha256");
  await pipeline(createReadStream(partial), hash);
  const hex = hash.digest("hex");
  await rename(partial, join(blobs, hex));
  const { size } = await stat(join(blobs, hex));
  return { mediaType: `${MEDIA}.layer.v1.tar`, digest: `sha256:${hex}`, size };
}

async function putJson(blobs: string, mediaType: string, value: object): Promise<Blob> {
  const text = JSON.stringify(value);
  const hex = createHash("sha256").update(text).digest("hex");
  await writeFile(join(blobs, hex), text);
  return { mediaType, digest: `sha256:${hex}`, size: Buffer.byteLength(text) };
}

function indexJson(manifest: Blob, names: readonly string[]): string {
  const manifests = names.map((name) => ({
    ...manifest,
    annotations: {
      "io.containerd.image.name": name,
      "org.opencontainers.image.ref.name": name.slice(name.lastIndexOf(":") + 1),
    },
  }));
  return JSON.stringify({ schemaVersion: 2, manifests });
}

function dockerManifest(config: Blob, layers: readonly Blob[], names: readonly string[]): string {
  const path = ({ digest }: Blob): string => `blobs/${digest.replace(":", "/")}`;
  return JSON.stringify([{ Config: path(config), RepoTags: names, Layers: layers.map(path) }]);
}
