import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { GoModule } from "../control-plane/go-programs.ts";

/** Programs around a cluster, from the Go modules that `programs/go.mod` pins. */

const DIRECTORY = join(import.meta.dirname, "programs");

export type ClusterProgram = "helm" | "helm-docs" | "coredns";

export const CLUSTER_PROGRAMS: GoModule<ClusterProgram> = {
  directory: DIRECTORY,
  cacheName: "cluster-programs",
  packages: {
    helm: "helm.sh/helm/v4/cmd/helm",
    "helm-docs": "github.com/norwoodj/helm-docs/cmd/helm-docs",
    coredns: "./coredns",
  },
  // Without its version, helm calls itself a development build, which charts may refuse.
  flags: [
    "-trimpath",
    "-ldflags",
    `-s -w -X helm.sh/helm/v4/internal/version.version=${versionOf("helm.sh/helm/v4")}`,
  ],
  sources: ["coredns/main.go"],
  duration: "about four minutes on two cores",
};

/** A module of its own, for it wants older Kubernetes libraries than the others do. */
export const KUBE_SCORE: GoModule<"kube-score"> = {
  directory: join(DIRECTORY, "kube-score"),
  cacheName: "kube-score",
  packages: { "kube-score": "github.com/zegl/kube-score/cmd/kube-score" },
  flags: ["-trimpath", "-ldflags", "-s -w"],
  duration: "about a minute on two cores",
};

function versionOf(module: string): string {
  const line = readFileSync(join(DIRECTORY, "go.mod"), "utf8")
    .split("\n")
    .find((candidate) => candidate.trim().startsWith(`${module} `));
  return line?.trim().split(" ")[1] ?? "unknown";
}
