import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { startApiServer, type ApiServer } from "../../local/control-plane/api-server.ts";
import { EnvironmentReader } from "../../runtime/environment.ts";
import { createKubeClient } from "../../runtime/kube/client.ts";
import type { KubeClient } from "../../runtime/kube/kube-api.ts";
import { LEASES } from "../../runtime/kube/resources.ts";
import { exitOnFailure } from "../../runtime/shutdown.ts";
import { createTcpProxy } from "../support/tcp-proxy.ts";
import { exitOnSignals, MACHINE, writeResults } from "./output.ts";
import { formatTable, type Watched } from "./reflector/report.ts";
import type { WatcherReport } from "./reflector/watcher.ts";

/** `make bench-reflector`: the product's reflector beside client-node's own informer. See docs/benchmarks.md. */

const WRITE_CONCURRENCY = 16;
const CUT_LIMIT_MS = 30_000;
const STORM_LIMIT_MS = 60_000;
const POLL_MS = 50;
const CUT_CHANGES = 10;
const never = new AbortController().signal;

function readSettings() {
  const environment = new EnvironmentReader(process.env);
  const settings = {
    leases: environment.integer("LEASES", { min: 10, max: 100_000 }, 10_000),
    changes: environment.integer("CHANGES", { min: 10, max: 100_000 }, 5_000),
  };
  environment.finish();
  return settings;
}

function nameOf(index: number): string {
  return `lease-${index}`;
}

async function createLeases(client: KubeClient, count: number): Promise<void> {
  await eachAtOnce(count, async (index) => {
    const metadata = {
      name: nameOf(index),
      namespace: "default",
      labels: { "dispatch.city/component": "city" },
    };
    await client.create(LEASES, { metadata, spec: { holderIdentity: "nobody" } }, never);
  });
}

async function changeLeases(client: KubeClient, count: number, holder: string): Promise<void> {
  await eachAtOnce(count, async (index) => {
    const ref = { name: nameOf(index), namespace: "default" };
    await client.patch(LEASES, ref, { spec: { holderIdentity: holder } }, never);
  });
}

async function eachAtOnce(count: number, work: (index: number) => Promise<void>): Promise<void> {
  const indexes = Array.from({ length: count }, (_, index) => index).values();
  const some = async (): Promise<void> => {
    for (const index of indexes) await work(index);
  };
  await Promise.all(Array.from({ length: WRITE_CONCURRENCY }, some));
}

async function ask(watcher: ChildProcess): Promise<WatcherReport> {
  const answer = once(watcher, "message");
  watcher.send("report");
  return ((await answer) as [WatcherReport])[0];
}

/** Until so many copies have this holder; the time it took, and the report that showed it. */
async function seen(
  watcher: ChildProcess,
  wanted: { readonly holder: string; readonly count: number; readonly limitMs: number },
): Promise<{ readonly report: WatcherReport; readonly stallMs: number } | undefined> {
  const deadlineMs = performance.now() + wanted.limitMs;
  let stallMs = 0;
  while (performance.now() < deadlineMs) {
    const report = await ask(watcher);
    stallMs = Math.max(stallMs, report.loopDelayMsMax);
    if ((report.changed[wanted.holder] ?? 0) >= wanted.count) return { report, stallMs };
    await sleep(POLL_MS);
  }
  return undefined;
}

async function measure(
  input: { readonly api: ApiServer; readonly client: KubeClient; readonly directory: string },
  means: "reflector" | "informer",
  changes: number,
): Promise<Watched> {
  const { api, client, directory } = input;
  const proxy = await createTcpProxy(api.instance.apiPort);
  const kubeconfigPath = join(directory, `${means}.kubeconfig`);
  const kubeconfig = await readFile(api.kubeconfigPath, "utf8");
  await writeFile(kubeconfigPath, kubeconfig.replaceAll(String(api.instance.apiPort), String(proxy.port)));
  const startedMs = performance.now();
  const watcher = fork(new URL("reflector/watcher.ts", import.meta.url), {
    env: { ...process.env, MEANS: means, KUBECONFIG_PATH: kubeconfigPath },
  });
  try {
    const [listed] = (await once(watcher, "message")) as [WatcherReport];
    const listedMs = performance.now() - startedMs;
    // The watch follows the list.
    await sleep(1_000);
    const before = await ask(watcher);
    const stormStartedMs = performance.now();
    const storm = changeLeases(client, changes, `storm-${means}`);
    const after = await seen(watcher, { holder: `storm-${means}`, count: changes, limitMs: STORM_LIMIT_MS });
    const stormMs = performance.now() - stormStartedMs;
    await storm;
    if (after === undefined)
      throw new Error(`the ${means} has not seen every change within ${STORM_LIMIT_MS} ms`);
    proxy.cut();
    await sleep(500);
    proxy.heal();
    await changeLeases(client, CUT_CHANGES, `cut-${means}`);
    const cut = await seen(watcher, { holder: `cut-${means}`, count: CUT_CHANGES, limitMs: CUT_LIMIT_MS });
    return {
      means: means === "reflector" ? "City operator's reflector" : "client-node's informer",
      listedMs,
      listCpuSeconds: listed.cpuSeconds,
      listStallMs: Math.max(listed.loopDelayMsMax, before.loopDelayMsMax),
      stormMs,
      stormCpuSeconds: after.report.cpuSeconds - before.cpuSeconds,
      stormStallMs: after.stallMs,
      residentBytes: after.report.residentBytes,
      survivedCut: cut !== undefined,
    };
  } finally {
    watcher.kill("SIGKILL");
    await proxy.close();
  }
}

async function main(): Promise<void> {
  const { leases, changes: asked } = readSettings();
  const changes = Math.min(leases, asked);
  const directory = await mkdtemp(join(tmpdir(), "city-operator-reflector-"));
  const api = await startApiServer({ directory, progress: (line) => process.stderr.write(`${line}\n`) });
  const client = createKubeClient({
    kubeconfig: { kind: "file", path: api.kubeconfigPath },
    connectionsMax: WRITE_CONCURRENCY,
  });
  try {
    await createLeases(client, leases);
    const rows: Watched[] = [];
    for (const means of ["reflector", "informer"] as const) {
      rows.push(await measure({ api, client, directory }, means, changes));
      process.stderr.write(`${means}\n`);
    }
    const run = { leases, changes, cutLimitMs: CUT_LIMIT_MS, rows };
    await writeResults("reflector", run);
    process.stdout.write(
      `\n${MACHINE.cpu}, ${MACHINE.cores} cores, Node ${process.versions.node}\n\n${formatTable(run)}\n`,
    );
  } finally {
    await client.close();
    await api.stop();
    await rm(directory, { recursive: true, force: true });
  }
}

exitOnSignals();

exitOnFailure(
  process,
  main().then(() => process.exit(0)),
);
