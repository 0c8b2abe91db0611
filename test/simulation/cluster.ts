import { CITY_API_VERSION } from "../../crds/city.ts";
import { microTime } from "../../crds/lease.ts";
import { randomStream, type Random } from "../../local/traffic/random.ts";
import { readCluster } from "../../operator/cluster.ts";
import { createOperator } from "../../operator/operator.ts";
import { createEventRecorder } from "../../runtime/kube/events.ts";
import { createDatabaseHealth } from "../../db/health.ts";
import { NAMESPACES, PODS, type KubeObject } from "../../runtime/kube/resources.ts";
import { tracingOff } from "../../runtime/tracing/span.ts";
import { createWorker } from "../../worker/worker.ts";
import { createFakeKube, type FakeKube } from "../support/fake-kube.ts";
import { createDatabaseLink } from "./database-link.ts";
import { createKubeLink } from "./kube-link.ts";
import { Link, type Server } from "./network.ts";
import { logOf, operatorMetrics, workerMetrics } from "./observation.ts";
import { createSimDispatch } from "./sim-dispatch.ts";
import { SimProcess } from "./sim-process.ts";
import type { World } from "./world.ts";

/** One Kubernetes cluster: its API server, and the Pods that its kubelet keeps running. */

export const NAMESPACE = "default";
const NEVER = new AbortController().signal;
const REQUEST_TIMEOUT_MS = 10_000;
const ELECTION = { leaseDurationMs: 15_000, renewDeadlineMs: 10_000, retryPeriodMs: 2_000 };
const TICK_RETENTION_MS = 10 * 60_000;
const DRAIN_LIMIT_MS = 25_000;
/** How long a container is away before it is started again. */
const RESTART = { minMs: 500, maxMs: 5_000 };
/** How late the kubelet tells of a container that ended. */
const KUBELET_LAG_MS = 1_000;

export type Role = "operator" | "worker";

/** A process that was started and has not ended. */
export type Running = {
  readonly role: Role;
  readonly pod: string;
  readonly process: SimProcess;
  readonly api: Link;
  readonly mysql: Link;
  /** As SIGTERM does. */
  terminate(): void;
  /** Share of dispatch calls that never return; of no meaning for an operator. */
  overrun(share: number): void;
};

export class Cluster {
  readonly name: string;
  readonly kube: FakeKube;
  readonly server: Server = { isDown: false };
  /** Pods that should be running, with their role. */
  readonly wanted = new Map<string, Role>();
  readonly running = new Map<string, Running>();
  readonly #world: World;
  readonly #random: Random;
  #starts = 0;
  #uid = "";

  constructor(world: World, name: string) {
    this.#world = world;
    this.name = name;
    this.#random = randomStream(world.seed, "cluster", name);
    this.kube = createFakeKube({
      onWrite: (news) => world.onKubeWrite(this, news),
      uidPrefix: `uid-${name}`,
    });
  }

  /** UID of the kube-system namespace. */
  get uid(): string {
    return this.#uid;
  }

  async begin(): Promise<void> {
    const { elsewhere } = this.kube;
    // Resource versions of clusters have nothing to do with each other.
    for (let index = 0; index < 500 * this.#random(); index++) {
      await elsewhere.create(NAMESPACES, { metadata: { name: `namespace-${index}` } }, NEVER);
    }
    const system = { metadata: { name: "kube-system" } };
    this.#uid = (await elsewhere.create<KubeObject>(NAMESPACES, system, NEVER)).metadata.uid ?? "";
  }

  /** The Pod is to run from now on. */
  want(pod: string, role: Role): void {
    this.wanted.set(pod, role);
    this.#start(pod, role);
  }

  /** The Pod is to run no more: it gets a SIGTERM. */
  unwant(pod: string): void {
    this.wanted.delete(pod);
    this.running.get(pod)?.terminate();
  }

  pods(role: Role): readonly Running[] {
    return [...this.running.values()].filter((running) => running.role === role);
  }

  /** As SIGKILL or a lost node does: what was sent may still arrive. */
  kill(running: Running): void {
    if (running.process.state === "dead") return;
    running.process.kill();
    this.#ended(running);
  }

  /** The API server restarts on other data: every watch breaks. */
  breakWatches(): void {
    for (const { api } of this.running.values()) for (const stream of api.streams) stream.break();
  }

  #ended(running: Running): void {
    const { pod, role } = running;
    running.process.kill();
    if (this.running.get(pod) === running) this.running.delete(pod);
    void this.#tellPod(running, "terminated");
    const { minMs, maxMs } = RESTART;
    this.#world.time.after(minMs + (maxMs - minMs) * this.#random(), () => {
      if (this.wanted.has(pod) && !this.running.has(pod)) this.#start(pod, role);
    });
  }

  #start(pod: string, role: Role): void {
    const world = this.#world;
    this.#starts += 1;
    const id = `${pod}-${this.#starts.toString(16).padStart(6, "0")}`;
    const random = randomStream(world.seed, "process", this.name, id);
    const process = new SimProcess({
      name: id,
      time: world.time,
      wallStartMs: world.wallStartMs + 1_000 * (random() - 0.5),
      rate: 1 + world.shape.driftMax * (2 * random() - 1),
    });
    const link = (server: Server, name: string): Link =>
      new Link({
        process,
        server,
        time: world.time,
        random: randomStream(world.seed, "link", this.name, id, name),
      });
    const running: Running = {
      role,
      pod,
      process,
      api: link(this.server, "api"),
      mysql: link(world.database, "mysql"),
      terminate: () => undefined,
      overrun: () => undefined,
    };
    this.running.set(pod, running);
    world.chronicle.note(this.name, `${id} started`);
    void this.#tellPod(running, "running");
    void (role === "operator" ? this.#runOperator(running, random) : this.#runWorker(running, random)).then(
      () => this.#exited(running, undefined),
      (error: Error) => this.#exited(running, error),
    );
  }

  #exited(running: Running, error: Error | undefined): void {
    const { chronicle } = this.#world;
    chronicle.note(running.process.name, error === undefined ? "ended" : `failed: ${error.message}`);
    if (error !== undefined && !this.#world.mayFail(error)) {
      chronicle.violate(
        `${running.process.name} ended by a mistake of its own: ${error.stack ?? error.message}`,
      );
    }
    this.#ended(running);
  }

  #edges({ process, api, mysql }: Running, random: Random) {
    const { time, database, chronicle } = this.#world;
    const client = (requestTimeoutMs: number) =>
      createKubeLink({ link: api, time, server: this.kube.elsewhere, requestTimeoutMs });
    const server = { link: mysql, server: database };
    return {
      clock: process.clock,
      random,
      log: logOf(chronicle, process.name),
      tracing: tracingOff,
      client,
      database: createDatabaseLink({ ...server, onAnswer: (statement) => chronicle.answered(statement) }),
    };
  }

  async #runOperator(running: Running, random: Random): Promise<void> {
    const { client, ...edges } = this.#edges(running, random);
    const stopping = new AbortController();
    Object.assign(running, { terminate: () => stopping.abort(new Error("SIGTERM")) });
    const main = client(REQUEST_TIMEOUT_MS);
    const onTrouble = (): void => undefined;
    const cluster = await readCluster({ ...edges, client: main, onTrouble }, stopping.signal);
    if (cluster === undefined) return;
    let events = 0;
    const recorder = createEventRecorder({
      ...edges,
      client: main,
      newId: () => String(++events),
      reportingController: "dispatch.city/operator",
      reportingInstance: running.process.name,
    });
    const operator = createOperator(
      {
        ...edges,
        client: main,
        electionClient: client(ELECTION.renewDeadlineMs / 2),
        events: recorder,
        metrics: operatorMetrics,
      },
      {
        identity: running.process.name,
        namespace: NAMESPACE,
        clusterUid: this.uid,
        tickRetentionMs: TICK_RETENTION_MS,
        explanationRetentionMs: TICK_RETENTION_MS,
        election: ELECTION,
      },
    );
    await operator.run(stopping.signal);
    await recorder.close();
  }

  async #runWorker(running: Running, random: Random): Promise<void> {
    const { client, ...edges } = this.#edges(running, random);
    const { process, pod } = running;
    const draining = new AbortController();
    const dispatchPool = createSimDispatch(process, random);
    Object.assign(running, {
      terminate: () => draining.abort(new Error("SIGTERM")),
      overrun: (share: number) => (dispatchPool.overruns = share),
    });
    let commits = 0;
    const intervalMs = this.#world.shape.heartbeatMs;
    const worker = createWorker(
      {
        ...edges,
        newCommitId: () => `${process.name}/${++commits}`,
        client: client(REQUEST_TIMEOUT_MS),
        heartbeatClient: client(intervalMs),
        databaseHealth: createDatabaseHealth({ ...edges, files: [] }),
        dispatchPool,
        isolationPool: dispatchPool,
        metrics: workerMetrics,
      },
      {
        identity: {
          worker: process.name,
          pod,
          pool: "default",
          zone: "a",
          version: "1",
          capacity: 100,
          intervalMs,
          since: microTime(process.clock.wallMs()),
        },
        namespace: NAMESPACE,
        podUid: `uid-${this.name}-${pod}`,
        drainLimitMs: DRAIN_LIMIT_MS,
      },
    );
    await worker.run({ draining: draining.signal, stopping: NEVER });
  }

  /** What the kubelet writes about the Pod of a worker. */
  async #tellPod({ role, pod, process }: Running, state: "running" | "terminated"): Promise<void> {
    if (role !== "worker") return;
    const atIso = new Date(process.clock.wallMs()).toISOString();
    const { elsewhere } = this.kube;
    if (state === "terminated") {
      await new Promise<void>((resolve) => {
        this.#world.time.after(KUBELET_LAG_MS * this.#random(), resolve);
      });
    }
    const ref = { namespace: NAMESPACE, name: pod };
    const present = await elsewhere.get<KubeObject>(PODS, ref, NEVER);
    const isGone = state === "terminated" && !this.wanted.has(pod);
    if (isGone) {
      await elsewhere.remove(PODS, ref, NEVER);
      return;
    }
    const status =
      state === "running"
        ? { state: { running: { startedAt: atIso } } }
        : { state: { terminated: { finishedAt: atIso } } };
    const object = {
      apiVersion: "v1",
      kind: "Pod",
      metadata: {
        ...ref,
        labels: { "dispatch.city/component": "worker" },
        annotations: { "dispatch.city/api": CITY_API_VERSION },
      },
      status: { phase: "Running", containerStatuses: [{ name: "worker", ...status }] },
    };
    if (present === undefined) await elsewhere.create(PODS, object, NEVER);
    else await elsewhere.replace(PODS, object, NEVER);
  }
}
