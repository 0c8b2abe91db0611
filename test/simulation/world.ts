import { randomStream, type Random } from "../../local/traffic/random.ts";
import type { News } from "../support/fake-etcd.ts";
import { callProcedure } from "../support/fake-procedures.ts";
import { Chronicle } from "./chronicle.ts";
import { Cluster, type Running } from "./cluster.ts";
import { DatabaseServer } from "./database-server.ts";
import { People } from "./people.ts";
import type { Shape } from "./shape.ts";
import { VirtualTime } from "./time.ts";

/** Everything there is in a run: clusters with their processes, one database, people, and time. */

const WALL_START_MS = Date.UTC(2026, 0, 1);
/** History that etcd keeps: five minutes, as the API server compacts it. */
const COMPACTION_MS = 300_000;
const BOOKMARK_MS = 60_000;

export class World {
  readonly seed: number;
  readonly shape: Shape;
  readonly time = new VirtualTime();
  readonly chronicle: Chronicle;
  readonly database: DatabaseServer;
  readonly random: Random;
  readonly wallStartMs = WALL_START_MS;
  readonly clusters: Cluster[] = [];
  readonly people: People;
  /** True while a process may end by a deadline of its own that a stopped process misses. */
  hasStoppedProcesses = false;
  /** The faults are over, and nothing of them comes back. */
  isCalm = false;

  constructor(input: {
    readonly seed: number;
    readonly shape: Shape;
    readonly tell?: ((line: string) => void) | undefined;
  }) {
    this.seed = input.seed;
    this.shape = input.shape;
    this.random = randomStream(input.seed, "world");
    this.chronicle = new Chronicle({ time: this.time, tell: input.tell });
    this.database = new DatabaseServer({
      time: this.time,
      random: randomStream(input.seed, "mysql"),
      wallStartMs: WALL_START_MS,
      onStatement: (statement) => this.chronicle.executed(statement),
    });
    this.people = new People(this);
  }

  /** The cluster that should dispatch: people go by what the database says, which a fail-over may have put back. */
  get authority(): Cluster {
    const uid = this.database.tables.authority?.clusterUid;
    return this.clusters.find((cluster) => cluster.uid === uid) ?? this.clusters[0]!;
  }

  get processes(): readonly Running[] {
    return this.clusters.flatMap((cluster) => [...cluster.running.values()]);
  }

  async begin(): Promise<void> {
    await this.addCluster("east");
    await this.people.begin();
    this.#upkeep();
  }

  async addCluster(name: string): Promise<Cluster> {
    const cluster = new Cluster(this, name);
    this.clusters.push(cluster);
    await cluster.begin();
    const { operators, workers } = this.shape;
    for (let index = 1; index <= operators; index++) cluster.want(`${name}-o${index}`, "operator");
    for (let index = 1; index <= workers; index++) cluster.want(`${name}-w${index}`, "worker");
    return cluster;
  }

  /** A person orders the cut-over: tokens come from that cluster from now on. */
  takeAuthority(cluster: Cluster): void {
    this.chronicle.allowAll();
    callProcedure(this.database.tables, "CALL take_authority(?)", [cluster.uid], this.database.wallMs());
    this.chronicle.note("people", `authority taken by ${cluster.name}`);
  }

  /** A person voids all tokens that were handed out so far. */
  raiseEpoch(): void {
    const { tables } = this.database;
    const { epoch } = tables.authority ?? { epoch: 0n };
    callProcedure(tables, "CALL raise_epoch(?, ?)", [this.authority.uid, epoch], this.database.wallMs());
    this.chronicle.note("people", `epoch ${epoch} raised`);
  }

  onKubeWrite(cluster: Cluster, news: News): void {
    if (cluster === this.authority) this.chronicle.wrote(news, cluster.name);
  }

  /** A leader that was stopped for long ends itself when it finds that its work did not stop in time; its Pod restarts. */
  mayFail(error: Error): boolean {
    return this.hasStoppedProcesses && error.message.includes("did not end within");
  }

  /** Every fault ends, and what should be running is started. */
  heal(): void {
    const { database } = this;
    this.isCalm = true;
    Object.assign(database, { isDown: false, lockWaitMaxMs: 0, lostKills: 0, deadlocks: 0 });
    for (const cluster of this.clusters) {
      cluster.server.isDown = false;
      for (const running of cluster.running.values()) {
        running.api.heal();
        running.mysql.heal();
        running.overrun(0);
        running.process.thaw();
      }
    }
    this.chronicle.note("world", "every fault has ended");
  }

  #upkeep(): void {
    const every = (intervalMs: number, work: () => void): void => {
      this.time.after(intervalMs, () => {
        work();
        every(intervalMs, work);
      });
    };
    every(COMPACTION_MS, () => {
      for (const { kube } of this.clusters) kube.compact();
    });
    every(BOOKMARK_MS, () => {
      for (const { kube } of this.clusters) kube.bookmark();
    });
  }
}
