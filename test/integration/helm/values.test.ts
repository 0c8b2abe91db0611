import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { createHelm, HELM_LIMIT_MS, type Helm } from "../../support/helm.ts";

/** A wrong value is refused before anything is installed, by a sentence that names it. */

let helm: Helm;

beforeAll(async () => {
  helm = await createHelm();
}, HELM_LIMIT_MS);
afterAll(async () => {
  await helm?.close();
});

describe("a wrong value", () => {
  test.each([
    ["iamge.tag=1", "at '': additional properties 'iamge' not allowed"],
    ["image.pulPolicy=Always", "at '/image': additional properties 'pulPolicy' not allowed"],
    [
      "image.pullPolicy=always",
      "at '/image/pullPolicy': value must be one of 'Always', 'IfNotPresent', 'Never'",
    ],
    ["logLevel=trace", "at '/logLevel': value must be one of 'debug', 'info', 'warn', 'error'"],
    ["console.enabled=yes please", "at '/console/enabled': got string, want boolean"],
    ["console.port=8080", "at '/console/port': 'not' failed"],
    ["tracing.endpoint=collector:4318", "at '/tracing/endpoint': 'collector:4318' does not match pattern"],
    ["tracing.sampleRatio=10", "at '/tracing/sampleRatio': maximum: got 10, want 1"],
    ["tracing.sampleRatio=1.5", "at '/tracing/sampleRatio': '1.5' does not match pattern"],
    [
      "tracing.enabled=true",
      "tracing.enabled needs a collector: set tracing.endpoint to where it takes OTLP over HTTP, such as http://collector:4318, or tracing.enabled to false",
    ],
    ["operator.replicas=two", "at '/operator/replicas': got string, want integer"],
    ["operator.election.leaseDuration=15", "at '/operator/election/leaseDuration'"],
    ["operator.explanationRetention=6", "at '/operator/explanationRetention'"],
    [
      "worker.dispatch.ownDispatchers=dispatchers",
      "at '/worker/dispatch/ownDispatchers': got string, want object",
    ],
    ["worker.heartbeatInterval=5 s", "'5 s' does not match pattern"],
    [
      "worker.resources.limits.memory=1GB",
      "at '/worker/resources/limits/memory': '1GB' does not match pattern",
    ],
    ["pools.large.replcas=2", "at '/pools/large': additional properties 'replcas' not allowed"],
    ["pools.Big Pool.replicas=2", "at '/pools': additional properties 'Big Pool' not allowed"],
    ["pools.default=null", "at '/pools': minProperties: got 0, want 1"],
    ["database.tls.mode=STRICT", "at '/database/tls/mode': value must be one of '', 'DISABLED', 'REQUIRED'"],
    ["database.secretName=", "at '/database/secretName'"],
    ["prometheusRule.runbookBaseUrl=git.example.com", "at '/prometheusRule/runbookBaseUrl'"],
    ["dashboards.labels=grafana", "at '/dashboards/labels': got string, want object"],
    ["networkPolicy.databasePorts={mysql}", "at '/networkPolicy/databasePorts/0': got string, want integer"],
    ["migration.waitSeconds=5m", "at '/migration/waitSeconds': got string, want integer"],
    [
      "worker.autoscaling.enabled=true,worker.autoscaling.minReplicas=9,worker.autoscaling.maxReplicas=3",
      "pools.default: autoscaling.minReplicas is 9 and autoscaling.maxReplicas 3: raise maxReplicas or lower minReplicas",
    ],
    [
      "evaluation.enabled=true,migration.reference=false",
      "evaluation.enabled needs the reference tables: set migration.reference to true, or evaluation.enabled to false",
    ],
    [
      "operator.election.leaseDuration=5s,operator.election.renewDeadline=5s",
      "operator.election: write leaseDuration > renewDeadline > retryPeriod, such as 15s, 10s and 2s",
    ],
  ])("%s is refused", async (setting, sentence) => {
    await expect(helm.template(["--set", setting])).rejects.toThrow(sentence);
  });

  test("on an older Kubernetes nothing is installed", async () => {
    await expect(helm.template(["--kube-version", "1.34.6"])).rejects.toThrow(
      "chart requires kubeVersion: >=1.35.0-0",
    );
  });
});
