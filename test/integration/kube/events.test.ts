import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { systemClock } from "../../../runtime/clock.ts";
import { createKubeClient, type KubeClient } from "../../../runtime/kube/client.ts";
import { createEventRecorder, type EventRecord, type EventRecorder } from "../../../runtime/kube/events.ts";
import { silentLog } from "../../../runtime/log.ts";
import { START_LIMIT_MS, startTestApiServer, type TestApiServer } from "../../support/kube.ts";
import { until } from "../../support/until.ts";

let api: TestApiServer;
let client: KubeClient;

beforeAll(async () => {
  api = await startTestApiServer();
  client = createKubeClient({ kubeconfig: { kind: "file", path: api.kubeconfigPath } });
}, START_LIMIT_MS);

afterAll(async () => {
  await client.close();
  await api.stop();
});

const open = (): EventRecorder =>
  createEventRecorder({
    client,
    clock: systemClock,
    log: silentLog,
    reportingController: "dispatch.city/test",
    reportingInstance: "test-1",
  });

const about = (name: string, fields: Partial<EventRecord> = {}): EventRecord => ({
  regarding: { apiVersion: "v1", kind: "ConfigMap", name, namespace: "default" },
  reason: "Moved",
  action: "Assign",
  note: "to worker w1 with token 7: rollout",
  type: "Normal",
  ...fields,
});

describe("events on the real API server", () => {
  test("are seen by kubectl, with their repetitions counted", async () => {
    const recorder = open();
    recorder.record(about("a"));
    await until(async () => (await events("a")).includes("Moved"), AbortSignal.timeout(10_000));
    for (let repetition = 0; repetition < 4; repetition++) recorder.record(about("a"));
    recorder.record(about("a", { type: "Warning", reason: "Stalled", note: "no tick for 15s" }));
    await recorder.close();
    expect(recorder.dropped).toBe(0);
    const text = await events("a");
    expect(text).toMatch(/x5 .*Normal\s+Moved\s+ConfigMap\/a\s+to worker w1 with token 7: rollout/);
    expect(text).toMatch(/Warning\s+Stalled\s+ConfigMap\/a\s+no tick for 15s/);
  });

  test("may be as long as they come, and about something without a namespace", async () => {
    const recorder = open();
    const regarding = { apiVersion: "v1", kind: "Node", name: "node-1" };
    recorder.record(about("long", { note: "ü".repeat(2_000) }));
    recorder.record(about("node-1", { regarding, related: { ...regarding, name: "node-2" } }));
    await recorder.close();
    expect(recorder.dropped).toBe(0);
    expect(await events("long")).toContain("ü…");
    expect(await api.kubectlOk(["events", "--for", "Node/node-1"])).toContain("Moved");
  });
});

const events = async (name: string): Promise<string> =>
  api.kubectlOk(["events", "--for", `ConfigMap/${name}`]);
