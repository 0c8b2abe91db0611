import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { OperationalError } from "../../runtime/errors.ts";
import { cacheRoot } from "../control-plane/binaries.ts";

/** What a machine must offer for a local cluster, said in one sentence where it does not. */

const PROGRAMS: Readonly<Record<string, string>> = {
  unshare: "util-linux",
  nsenter: "util-linux",
  setpriv: "util-linux",
  mount: "mount",
  ip: "iproute2",
  openssl: "openssl",
  "dpkg-deb": "dpkg",
  "apt-get": "apt",
};

/** The enclosure has folders of its own in the place of these. */
const HIDDEN = ["/var/lib/", "/var/log/", "/run/"];

export type Machine = {
  readonly platform: NodeJS.Platform;
  readonly userId: number | undefined;
  readonly hasProgram: (name: string) => boolean;
  /** Folders that must be seen from inside. */
  readonly folders: readonly string[];
};

/** Why no local cluster can run here; undefined: one can. */
export function obstacle(machine: Machine): string | undefined {
  if (machine.platform !== "linux" || machine.userId !== 0) {
    const who = machine.platform === "linux" ? `user ${machine.userId}` : machine.platform;
    return `a local cluster makes namespaces, mounts and control groups, which needs root on Linux, and this is ${who}: use sudo, or give the tests a cluster of your own (KUBECONFIG=… IMAGE=…)`;
  }
  const missing = Object.entries(PROGRAMS).filter(([name]) => !machine.hasProgram(name));
  if (missing.length > 0) {
    const packages = [...new Set(missing.map(([, name]) => name))].join(" ");
    const names = missing.map(([name]) => name).join(", ");
    return `a local cluster needs ${names}, which this machine lacks: on Debian, apt-get install ${packages}`;
  }
  const hidden = machine.folders.find((folder) => HIDDEN.some((prefix) => folder.startsWith(prefix)));
  return hidden === undefined
    ? undefined
    : `${hidden} cannot be seen from inside a local cluster, which has folders of its own under ${HIDDEN.join(", ")}: move the checkout, or set CITY_OPERATOR_CACHE`;
}

/** The same for the machine that this process runs on. */
export function obstacleHere(): string | undefined {
  return obstacle({
    platform: process.platform,
    userId: process.getuid?.(),
    hasProgram,
    folders: [process.cwd(), cacheRoot()],
  });
}

/** Errors: `cluster-requirements`. */
export function requireClusterMachine(): void {
  const message = obstacleHere();
  if (message !== undefined) {
    throw new OperationalError({ code: "cluster-requirements", remedy: "give-up", message });
  }
}

function hasProgram(name: string): boolean {
  return (process.env["PATH"] ?? "").split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, name), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
