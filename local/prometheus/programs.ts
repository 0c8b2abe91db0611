import { ensureGoPrograms, type GoModule } from "../control-plane/go-programs.ts";

/** Prometheus and its tool, from the Go modules that `go.mod` beside this file pins: for the tests of rules and dashboards. */

type PrometheusProgram = "prometheus" | "promtool";

const MODULE: GoModule<PrometheusProgram> = {
  directory: import.meta.dirname,
  cacheName: "prometheus",
  packages: {
    prometheus: "github.com/prometheus/prometheus/cmd/prometheus",
    promtool: "github.com/prometheus/prometheus/cmd/promtool",
  },
  // Without the discovery of every cloud, of which a file of targets needs none. The pages of its web UI are no part of the module.
  flags: ["-trimpath", "-tags", "remove_all_sd", "-ldflags", "-s -w"],
  duration: "about three minutes on two cores",
};

/** The paths of both programs. Errors: those of `ensureGoPrograms`. */
export function ensurePrometheus(
  progress: (line: string) => void,
  signal?: AbortSignal,
): Promise<Readonly<Record<PrometheusProgram, string>>> {
  return ensureGoPrograms(MODULE, ["prometheus", "promtool"], progress, signal);
}
