import type { Clock } from "../clock.ts";
import { isOperational } from "../errors.ts";
import { measuring } from "../measure.ts";
import type { Metrics } from "../metrics.ts";
import type { KubeClient } from "./kube-api.ts";

/** Rate, errors and duration of what a process asks of the API server; watches are open for minutes and do not count. */

const VERBS = ["list", "get", "create", "replace", "patch", "remove"] as const;
type Verb = (typeof VERBS)[number];

/** By who is to blame: somebody else wrote first, the API server or the way to it, our rights or our request. */
const FAILURES = ["conflict", "unavailable", "refused", "cancelled"] as const;
type Failure = (typeof FAILURES)[number];

export type ApiMetrics = ReturnType<typeof createApiMetrics>;

export function createApiMetrics(metrics: Metrics, process: "operator" | "worker") {
  return {
    duration: metrics.histogramBy<Verb>(
      {
        name: `dispatch_${process}_api_duration_seconds`,
        unit: "seconds",
        help: "Time of a request to the Kubernetes API server, by verb, whatever the answer was.",
      },
      { label: "verb", values: VERBS },
      [0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    ),
    failures: metrics.countBy(
      {
        name: `dispatch_${process}_api_failures_total`,
        unit: "requests",
        help: "Requests to the Kubernetes API server that failed: somebody wrote first, no answer, refused, or given up.",
      },
      "because",
      FAILURES,
    ),
  };
}

/** The same client, with every request but watches counted and timed. */
export function measureKubeClient(client: KubeClient, metrics: ApiMetrics, clock: Clock): KubeClient {
  const measured = measuring(clock, metrics, failureOf);
  return {
    namespace: client.namespace,
    list: (...input) => measured("list", () => client.list(...input)),
    get: (...input) => measured("get", () => client.get(...input)),
    create: (...input) => measured("create", () => client.create(...input)),
    replace: (...input) => measured("replace", () => client.replace(...input)),
    patch: (...input) => measured("patch", () => client.patch(...input)),
    remove: (...input) => measured("remove", () => client.remove(...input)),
    watch: (...input) => client.watch(...input),
    version: (...input) => client.version(...input),
    close: () => client.close(),
  };
}

function failureOf(error: unknown): Failure {
  if (!isOperational(error)) return "cancelled";
  switch (error.remedy) {
    case "refresh":
      return "conflict";
    case "retry":
      return "unavailable";
    case "give-up":
      return "refused";
    default:
      return error.remedy satisfies never;
  }
}
