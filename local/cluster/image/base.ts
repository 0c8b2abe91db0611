import { existsSync } from "node:fs";
import { copyFile, cp, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { OperationalError } from "../../../runtime/errors.ts";
import { cacheRoot } from "../../control-plane/binaries.ts";
import { downloadProgram } from "../../mysql/debian-download.ts";

/**
 * What stands in for the two base images of the Dockerfile where no registry is to be had: the same Debian packages that
 * they are made of, unpacked, and the Node that this project brings from npm.
 */

/** The Debian release of both base images. */
const SUITE = "bookworm";
const PACKAGES = ["base-files", "netbase", "ca-certificates", "libc6", "libgcc-s1", "libstdc++6"];
const NODE_PACKAGES = ["libatomic1"];
/** What nobody reads in an image; copyrights stay. */
const NEEDLESS = [
  "usr/share/man",
  "usr/share/locale",
  "usr/share/lintian",
  "usr/share/bug",
  "usr/share/info",
];

/** Fills an empty folder with what the final stage's base has. */
export async function fillBase(
  root: string,
  progress: (line: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const packages = await unpack(
    PACKAGES,
    "certificates and the C library: about 4 MB, once",
    progress,
    signal,
  );
  await copyTree(packages, root);
  await finish(root);
}

/** Fills an empty folder with what the build stage's image has and we use: Node, and what it needs beyond the base. */
export async function fillNodeStage(
  root: string,
  progress: (line: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const packages = await unpack(NODE_PACKAGES, "libatomic: about 10 kB, once", progress, signal);
  await copyTree(packages, root);
  await mkdir(join(root, "usr/local/bin"), { recursive: true });
  await copyFile(process.execPath, join(root, "usr/local/bin/node"));
}

async function copyTree(from: string, to: string): Promise<void> {
  await cp(from, to, { recursive: true, verbatimSymlinks: true });
}

async function unpack(
  packages: readonly string[],
  title: string,
  progress: (line: string) => void,
  signal: AbortSignal,
): Promise<string> {
  const name = packages.length > 1 ? "base" : packages.join("");
  const directory = join(cacheRoot(), "image", `packages-${name}-${SUITE}-${process.arch}`);
  if (existsSync(directory)) return directory;
  const missing = (): OperationalError =>
    new OperationalError({
      code: "image-base",
      remedy: "give-up",
      message: "the image's base consists of Debian packages, and apt has no Debian source here",
    });
  await downloadProgram({ program: { suite: SUITE, packages, title, missing }, directory, progress }, signal);
  return directory;
}

/** What the packages' own scripts would have done. */
async function finish(root: string): Promise<void> {
  for (const folder of NEEDLESS) await rm(join(root, folder), { recursive: true, force: true });
  await writeFile(
    join(root, "etc/passwd"),
    "root:x:0:0:root:/root:/sbin/nologin\nnonroot:x:65532:65532:nonroot:/home/nonroot:/sbin/nologin\n",
  );
  await writeFile(join(root, "etc/group"), "root:x:0:\nnonroot:x:65532:\n");
  await writeFile(join(root, "etc/nsswitch.conf"), "hosts: files dns\n");
  const folder = join(root, "usr/share/ca-certificates/mozilla");
  const names = (await readdir(folder)).toSorted();
  const certificates = await Promise.all(names.map((name) => readFile(join(folder, name), "utf8")));
  await mkdir(join(root, "etc/ssl/certs"), { recursive: true });
  await writeFile(join(root, "etc/ssl/certs/ca-certificates.crt"), certificates.join(""));
}
