import { choose, uniform } from "../../local/traffic/random.ts";
import { forAWhile, type FaultKind } from "./fault-kind.ts";

/** What goes wrong with the servers, and what people do meanwhile. */

const OUTAGE = { min: 500, max: 60_000 };
const SLOWNESS = { min: 1_000, max: 60_000 };
/** The most that a fail-over loses: MySQL's asynchronous replica is seldom further behind. */
const LOST_MAX_MS = 5_000;

export const SERVER_FAULTS: Readonly<Record<string, FaultKind>> = {
  "api-down"(world, random) {
    const cluster = choose(random, world.clusters);
    if (cluster === undefined) return;
    world.chronicle.note("fault", `the API server of ${cluster.name} is down`);
    cluster.server.isDown = true;
    cluster.breakWatches();
    forAWhile(world, random, OUTAGE, () => {
      world.chronicle.note("fault", `the API server of ${cluster.name} is up`);
      cluster.server.isDown = false;
    });
  },
  compaction(world) {
    for (const cluster of world.clusters) {
      world.chronicle.note("fault", `the history of ${cluster.name} is compacted`);
      cluster.kube.compact();
      cluster.breakWatches();
    }
  },
  "mysql-down"(world, random) {
    const { database, chronicle } = world;
    chronicle.note("fault", "MySQL is down");
    database.isDown = true;
    database.failOver(0);
    forAWhile(world, random, OUTAGE, () => {
      chronicle.note("fault", "MySQL is up");
      database.isDown = false;
    });
  },
  "fail-over"(world, random) {
    const { database, chronicle, time } = world;
    const lostMs = random() < 0.3 ? 0 : LOST_MAX_MS * random() ** 2;
    chronicle.note("fault", `MySQL fails over and loses the last ${Math.round(lostMs)} ms`);
    database.isDown = true;
    database.failOver(lostMs);
    if (lostMs > 0) chronicle.lost(time.nowMs - lostMs);
    forAWhile(world, random, { min: 200, max: 10_000 }, () => {
      chronicle.note("fault", "MySQL has a primary again");
      database.isDown = false;
    });
  },
  "slow-commits"(world, random) {
    const { database, chronicle } = world;
    chronicle.note("fault", "locks of MySQL are slow");
    database.lockWaitMaxMs = uniform(random, { min: 100, max: 8_000 }) * random();
    database.lostKills = random() < 0.5 ? 0 : random();
    database.deadlocks = 0.2 * random();
    forAWhile(world, random, SLOWNESS, () => {
      Object.assign(database, { lockWaitMaxMs: 0, lostKills: 0, deadlocks: 0 });
    });
  },
  "database-clock"(world, random) {
    const byMs = uniform(random, { min: -30_000, max: 30_000 }) * random() ** 2;
    world.chronicle.note("fault", `the clock of MySQL is set by ${Math.round(byMs)} ms`);
    world.database.jumpWall(byMs);
  },
};

/** etcd is restored from a backup: with `raised`, its revision goes on above the lost one, as Kubernetes recommends. */
const restored =
  (revision: "as-it-was" | "raised"): FaultKind =>
  (world, random) => {
    const cluster = world.authority;
    world.chronicle.note("fault", `a backup of the etcd of ${cluster.name} is made`);
    const restore = cluster.kube.backup();
    forAWhile(world, random, { min: 1_000, max: 120_000 }, () => {
      if (cluster !== world.authority) return;
      world.chronicle.note(
        "fault",
        `the etcd of ${cluster.name} is restored from the backup, its revision ${revision}`,
      );
      // People who follow the runbook raise the epoch while no API server runs.
      if (random() < 0.5) world.raiseEpoch();
      restore(revision);
      world.chronicle.restored();
      cluster.breakWatches();
    });
  };

export const ETCD_FAULTS: Readonly<Record<string, FaultKind>> = {
  "etcd-restored": restored("raised"),
  "etcd-rollback": restored("as-it-was"),
  async "second-cluster"(world, random) {
    const [first, second] = world.clusters;
    if (first === undefined) return;
    if (second === undefined) {
      world.chronicle.note("fault", "a second cluster is pointed at the same database");
      const added = await world.addCluster("west");
      for (const { name } of world.shape.cities) await world.people.create(added, name);
      return;
    }
    if (random() < 0.5) world.takeAuthority(world.authority === first ? second : first);
  },
};

export const PEOPLE_FAULTS: Readonly<Record<string, FaultKind>> = {
  async edit(world, random) {
    const city = choose(random, world.shape.cities);
    if (city === undefined) return;
    const period = `${(choose(random, world.shape.periodsMs) ?? 1_000) / 1_000}s`;
    for (const cluster of world.clusters) await world.people.edit(cluster, city.name, { period });
  },
  async suspend(world, random) {
    const city = choose(random, world.shape.cities);
    if (city === undefined) return;
    for (const cluster of world.clusters) await world.people.edit(cluster, city.name, { suspend: true });
    forAWhile(world, random, { min: 100, max: 60_000 }, () => {
      for (const cluster of world.clusters) void world.people.edit(cluster, city.name, { suspend: false });
    });
  },
  async delete(world, random) {
    const city = choose(random, world.shape.cities);
    if (city === undefined) return;
    await world.people.remove(world.authority, city.name);
    forAWhile(world, random, { min: 100, max: 60_000 }, () => {
      void world.people.create(world.authority, city.name);
    });
  },
};
