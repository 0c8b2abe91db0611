import { existsSync } from "node:fs";
import { join } from "node:path";
import { OperationalError } from "../../runtime/errors.ts";
import { cacheRoot } from "../control-plane/binaries.ts";
import { downloadProgram, type DebianProgram } from "../mysql/debian-download.ts";

/** What a node needs that is no Go module: Debian's packages, unpacked into the cache and installed nowhere. */
export type NodePrograms = {
  /** Where containerd, its shim, runc and nft are found, before whatever the machine has. */
  readonly path: string;
  /** The libraries that they need and not every machine has. Not the C library: that is the machine's. */
  readonly libraryPath: string;
  readonly containerd: string;
  readonly ctr: string;
  readonly cniDirectory: string;
  /** Waits and reaps: the first process of the enclosure and of every pod. */
  readonly catatonit: string;
};

/** The oldest suite whose nft and containerd do what a 1.35 node asks for: its programs run wherever a newer C library is. */
const SUITE = "bookworm";

const PACKAGES = ["containerd", "runc", "containernetworking-plugins", "catatonit", "nftables"];
const LIBRARIES =
  "libseccomp2 libnftables1 libnftnl11 libmnl0 libxtables12 libjansson4 libgmp10 libedit2 libbsd0 libmd0 libtinfo6".split(
    " ",
  );

const PROGRAM: DebianProgram = {
  suite: SUITE,
  packages: [...PACKAGES, ...LIBRARIES],
  title: "containerd, runc, CNI plugins and nftables from Debian: about 45 MB, once",
  missing: () =>
    new OperationalError({
      code: "cluster-packages",
      remedy: "give-up",
      message:
        "a local node consists of Debian packages (containerd, runc, nftables and more), and apt has no Debian source here",
    }),
};

/** Errors: `cluster-packages`, and those of `downloadProgram`. */
export async function ensureNodePrograms(
  progress: (line: string) => void,
  signal: AbortSignal,
): Promise<NodePrograms> {
  const root = join(cacheRoot(), "cluster", `debian-${SUITE}-${process.arch}`);
  if (!existsSync(root)) await downloadProgram({ program: PROGRAM, directory: root, progress }, signal);
  const bin = join(root, "usr/bin");
  const path = [bin, join(root, "usr/sbin"), process.env["PATH"]].join(":");
  const triplet = process.arch === "arm64" ? "aarch64-linux-gnu" : "x86_64-linux-gnu";
  return {
    path,
    libraryPath: [join(root, "usr/lib", triplet), join(root, "lib", triplet)].join(":"),
    containerd: join(bin, "containerd"),
    ctr: join(bin, "ctr"),
    cniDirectory: join(root, "usr/lib/cni"),
    catatonit: join(bin, "catatonit"),
  };
}
