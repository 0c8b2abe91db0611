import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { systemClock } from "../../../runtime/clock.ts";
import { createKubeClient, type KubeClient } from "../../../runtime/kube/client.ts";
import { createLeaderElection } from "../../../runtime/kube/leader-election.ts";
import { silentLog } from "../../../runtime/log.ts";
import { START_LIMIT_MS, startTestApiServer, type TestApiServer } from "../../support/kube.ts";
import { createTcpProxy } from "../../support/tcp-proxy.ts";
import { until } from "../../support/until.ts";

const WAIT_LIMIT_MS = 30_000;
const TIMES = { leaseDurationMs: 3_000, renewDeadlineMs: 2_000, retryPeriodMs: 300 };

let api: TestApiServer;
let client: KubeClient;
const signal = (): AbortSignal => AbortSignal.timeout(WAIT_LIMIT_MS);

beforeAll(async () => {
  api = await startTestApiServer();
  client = createKubeClient({ kubeconfig: { kind: "file", path: api.kubeconfigPath } });
}, START_LIMIT_MS);

afterAll(async () => {
  await client.close();
  await api.stop();
});

/** A candidate with the moments at which it began and ended to lead, on the monotonic clock. */
function stand(name: string, identity: string, through: KubeClient = client) {
  const stop = new AbortController();
  const began: number[] = [];
  const ended: number[] = [];
  const election = createLeaderElection({
    client: through,
    clock: systemClock,
    random: Math.random,
    log: silentLog,
    namespace: "default",
    name,
    identity,
    ...TIMES,
  });
  const run = election.run(
    {
      async onLead(leading) {
        began.push(performance.now());
        await systemClock.sleep(1_000_000, leading).catch(() => undefined);
        ended.push(performance.now());
      },
    },
    stop.signal,
  );
  const end = async (): Promise<void> => {
    stop.abort(new Error("stop"));
    await run;
  };
  return { election, began, ended, end };
}

const holderOf = async (name: string): Promise<string> =>
  api.kubectlOk(["get", "lease", name, "-o", "jsonpath={.spec.holderIdentity}"]);

describe("leader election on the real API server", () => {
  test(
    "hands over within a second when the leader is stopped, and leaves the Lease free in the end",
    async () => {
      const one = stand("stopped", "one");
      await until(() => one.election.isLeading, signal());
      const two = stand("stopped", "two");
      await until(() => two.election.holder === "one", signal());
      await systemClock.sleep(3 * TIMES.leaseDurationMs, signal());
      expect(two.began).toEqual([]);
      const stoppedMs = performance.now();
      await one.end();
      await until(() => two.election.isLeading, signal());
      expect(two.began[0]! - stoppedMs).toBeLessThan(1_000);
      expect(await holderOf("stopped")).toBe("two");
      await two.end();
      expect(await holderOf("stopped")).toBe("");
    },
    WAIT_LIMIT_MS,
  );

  test(
    "passes the leadership of one who is cut off to another by expiry, after the first has stepped down",
    async () => {
      const proxy = await createTcpProxy(Number(new URL(api.url).port));
      const kubeconfig = { kind: "file", path: await api.kubeconfigVia(proxy.port) } as const;
      const distant = createKubeClient({ kubeconfig, requestTimeoutMs: 500 });
      const one = stand("cut-off", "one", distant);
      await until(() => one.election.isLeading, signal());
      const two = stand("cut-off", "two");
      await until(() => two.election.holder === "one", signal());
      proxy.freeze();
      const cutMs = performance.now();
      await until(() => two.election.isLeading, signal());
      expect(one.ended[0]!).toBeLessThan(two.began[0]!);
      expect(two.began[0]! - cutMs).toBeLessThan(TIMES.leaseDurationMs + 2_000);
      proxy.heal();
      await until(() => one.election.holder === "two", signal());
      expect(one.election.isLeading).toBe(false);
      await one.end();
      await two.end();
      await distant.close();
      await proxy.close();
    },
    WAIT_LIMIT_MS,
  );

  test(
    "survives an API server that restarts: the same one leads afterwards",
    async () => {
      const one = stand("restarted", "one");
      await until(() => one.election.isLeading, signal());
      await api.restartApiServer();
      await until(async () => one.election.isLeading && (await holderOf("restarted")) === "one", signal());
      await one.end();
    },
    WAIT_LIMIT_MS,
  );
});
