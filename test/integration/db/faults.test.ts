import { randomUUID } from "node:crypto";
import { createServer, type AddressInfo } from "node:net";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import { audit } from "../../../db/audit.ts";
import { createFence, type CommitOutcome, type Fence } from "../../../db/fence.ts";
import { openDatabase, type Database } from "../../../db/pool.ts";
import { systemClock } from "../../../runtime/clock.ts";
import { silentLog } from "../../../runtime/log.ts";
import { startMysqlProxy, type MysqlProxy } from "../../support/mysql-proxy.ts";
import {
  claimOf,
  freshDatabase,
  MYSQL_START_LIMIT_MS,
  startTestMysql,
  tokenOf,
  within,
  type TestDatabase,
  type TestMysql,
} from "../../support/mysql.ts";

let server: TestMysql;
let db: TestDatabase;
let proxy: MysqlProxy;
/** Behind the proxy. */
let far: Fence;
/** Not behind it. */
let near: Fence;

beforeAll(async () => {
  server = await startTestMysql();
}, MYSQL_START_LIMIT_MS);
afterAll(async () => {
  await server.close();
});
beforeEach(async () => {
  db = await freshDatabase(server);
  proxy = await startMysqlProxy(server.port);
  far = createFence({ database: db.open("worker", { port: proxy.port }), clock: systemClock });
  near = createFence({ database: db.open("worker"), clock: systemClock });
  await claim(far, 10);
});
afterEach(async () => {
  const report = await audit(db.open("admin"), within());
  expect(report.checks.flatMap(({ violations }) => violations)).toEqual([]);
  await proxy.close();
  await db.close();
});

const claim = (fence: Fence, token: number) => fence.claim(claimOf(token), within());

/** Of the last tick that was committed. */
let lastCommitId: string | undefined;

async function commit(
  fence: Fence,
  token: number,
  tick: bigint,
  signal: AbortSignal,
): Promise<CommitOutcome> {
  const commitId = randomUUID();
  const outcome = await fence.commit(
    {
      city: "madrid",
      epoch: 1n,
      token: tokenOf(token),
      tick,
      commitId,
      previousCommitId: tick === 1n ? undefined : lastCommitId,
      slotMs: Number(tick) * 1_000,
      periodMs: 1_000,
      snapshotTick: tick - 1n,
      degraded: false,
      decisions: [],
    },
    signal,
  );
  if (outcome.kind === "committed") lastCommitId = commitId;
  return outcome;
}

const ledger = async () =>
  (await db.sql("SELECT tick, token FROM tick ORDER BY tick")).map((row) => ({ ...row }));

async function timed<Result>(
  work: Promise<Result>,
): Promise<{ readonly result: Result; readonly ms: number }> {
  const startedMs = performance.now();
  return { result: await work, ms: performance.now() - startedMs };
}

describe("a commit", () => {
  test("whose answer is lost with the connection is sent again and is there once", async () => {
    proxy.answers("drop");
    let hasLost = false;
    proxy.onAnswer(() => {
      if (hasLost) return;
      hasLost = true;
      proxy.answers("pass");
      proxy.cutClients();
    });
    expect(await commit(far, 10, 1n, within())).toEqual({ kind: "committed", dropped: [] });
    expect(await ledger()).toEqual([{ tick: 1, token: 10 }]);
  });

  test("whose request is lost with the connection is sent again and is there once", async () => {
    proxy.requests("drop");
    let hasLost = false;
    proxy.onRequest(() => {
      if (hasLost) return;
      hasLost = true;
      proxy.requests("pass");
      setImmediate(() => {
        proxy.cutClients();
      });
    });
    expect(await commit(far, 10, 1n, within())).toEqual({ kind: "committed", dropped: [] });
    expect(hasLost).toBe(true);
    expect(await ledger()).toEqual([{ tick: 1, token: 10 }]);
  });

  test("whose answer is swallowed, while the connection lives, is sent again before the deadline", async () => {
    // This test's own: a timer may outlive it.
    const own = proxy;
    own.answers("drop");
    // All of it, which may come in more than one piece; the next attempt is a second away.
    own.onAnswer(() => void setTimeout(() => own.answers("pass"), 200));
    expect(await commit(far, 10, 1n, within())).toEqual({ kind: "committed", dropped: [] });
    expect(await ledger()).toEqual([{ tick: 1, token: 10 }]);
  });

  test("without any answer until its deadline is unknown, and the next claim tells that it is in", async () => {
    proxy.answers("drop");
    expect(await commit(far, 10, 1n, within(300))).toMatchObject({ kind: "unknown" });
    expect(await claim(near, 10)).toMatchObject({ kind: "claimed", tick: 1n });
  });

  test("that arrives after a later claim changes nothing", async () => {
    const arrived = await sendLate();
    await claim(near, 11);
    await arrived();
    expect(await ledger()).toEqual([]);
    expect(await commit(near, 11, 1n, within())).toMatchObject({ kind: "committed" });
  });

  test("that arrives after the same holder has done the tick anew changes nothing", async () => {
    const arrived = await sendLate();
    expect(await claim(near, 10)).toMatchObject({ kind: "claimed", tick: 0n });
    expect(await commit(near, 10, 1n, within())).toMatchObject({ kind: "committed" });
    const [before] = await db.sql("SELECT HEX(commit_id) AS id FROM tick");
    await arrived();
    const [after, ...more] = await db.sql("SELECT HEX(commit_id) AS id FROM tick");
    expect([after?.["id"], more]).toEqual([before?.["id"], []]);
  });

  test("that arrives late but first makes the new attempt of its sender outpaced", async () => {
    const arrived = await sendLate();
    expect(await claim(near, 10)).toMatchObject({ kind: "claimed", tick: 0n });
    await arrived();
    expect(await commit(near, 10, 1n, within())).toEqual({ kind: "outpaced" });
    expect(await claim(near, 10)).toMatchObject({ kind: "claimed", tick: 1n });
  });

  test("is thrown, not unknown, when nothing was ever sent", async () => {
    const port = await closedPort();
    const fence = createFence({ database: db.open("worker", { port }), clock: systemClock });
    await expect(commit(fence, 10, 1n, within(400))).rejects.toMatchObject({
      code: expect.stringMatching(/^database-(unreachable|timeout)$/),
    });
  });

  test("outlasts a restart of the server", async () => {
    expect(await commit(near, 10, 1n, within())).toMatchObject({ kind: "committed" });
    await server.kill();
    const committing = commit(near, 10, 2n, within(30_000));
    await server.restart();
    expect(await committing).toMatchObject({ kind: "committed" });
    expect(await ledger()).toEqual([
      { tick: 1, token: 10 },
      { tick: 2, token: 10 },
    ]);
  }, 40_000);

  test("to a frozen server is unknown soon after its deadline, and settled after the thaw", async () => {
    await claim(near, 10);
    server.freeze();
    const { result, ms } = await timed(
      commit(near, 10, 1n, within(300)).finally(() => {
        server.thaw();
      }),
    );
    expect(result).toMatchObject({ kind: "unknown" });
    expect(ms).toBeLessThan(4_000);
    const outcome = await claim(near, 10);
    expect(await ledger()).toHaveLength(Number((outcome as { tick: bigint }).tick));
  });

  /** Sends a commit of tick 1 under token 10 that its sender gives up; the returned function lets it arrive. */
  async function sendLate(): Promise<() => Promise<void>> {
    proxy.requests("hold");
    expect(await commit(far, 10, 1n, within(300))).toMatchObject({ kind: "unknown" });
    return () => proxy.release();
  }
});

describe("a call that is given up", () => {
  test("is killed while it waits for a lock, and does not run when the lock comes free", async () => {
    const blocker = await db.connect();
    await blocker.query("START TRANSACTION; SELECT * FROM city_fence FOR UPDATE");
    expect(await commit(near, 10, 1n, within(300))).toMatchObject({ kind: "unknown" });
    await blocker.query("COMMIT");
    expect(await claim(near, 10)).toMatchObject({ kind: "claimed", tick: 0n });
    expect(await ledger()).toEqual([]);
  });

  test("frees the row locks that its statement held at once", async () => {
    const slow = db
      .open("admin")
      .query(
        "UPDATE city_fence SET changed_at = changed_at + INTERVAL 1 SECOND WHERE city = 'madrid' AND SLEEP(20) = 0",
        [],
        within(500),
      );
    await expect(slow).rejects.toMatchObject({ code: "database-timeout", remedy: "retry" });
    const { ms } = await timed(claim(near, 11));
    expect(ms).toBeLessThan(2_000);
  });

  test("never lends its session to anybody again, also when nobody could stop it on the server", async () => {
    const database = db.open("worker", { port: proxy.port, connectionsMax: 1 });
    await database.query("SELECT 1", [], within());
    proxy.answers("drop");
    await expect(database.query("SELECT SLEEP(1)", [], within(200))).rejects.toMatchObject({
      code: "database-timeout",
    });
    proxy.answers("pass");
    // On the old session it would wait for the answer that was lost.
    expect(await database.query("SELECT 'one' AS text", [], within(3_000))).toEqual([{ text: "one" }]);
  });

  test("while it waits for a connection leaves the connection to the next one", async () => {
    const database = db.open("worker", { connectionsMax: 1 });
    const slow = database.query("SELECT SLEEP(0.5)", [], within());
    await expect(database.query("SELECT 1", [], within(100))).rejects.toMatchObject({
      code: "database-timeout",
    });
    await slow;
    expect(await database.query("SELECT 'one' AS text", [], within())).toEqual([{ text: "one" }]);
  });

  test("throws the reason of whoever cancelled it", async () => {
    const cancel = new AbortController();
    const slow = db.open("worker").query("SELECT SLEEP(20)", [], cancel.signal);
    const reason = new Error("the tenure ended");
    cancel.abort(reason);
    await expect(slow).rejects.toBe(reason);
  });
});

test("a consistent read sees one moment, whatever is committed meanwhile", async () => {
  const database = db.open("worker");
  const counts = await database.readConsistently(async (query) => {
    const [before] = await query("SELECT COUNT(*) AS ticks FROM tick", [], within());
    await commit(near, 10, 1n, within());
    const [after] = await query("SELECT COUNT(*) AS ticks FROM tick", [], within());
    return [Number(before?.["ticks"]), Number(after?.["ticks"])];
  }, within());
  expect(counts).toEqual([0, 0]);
  expect(await ledger()).toHaveLength(1);
});

test("a server that nobody can reach is told as such within the limit of a connect", async () => {
  const database = openDatabase({
    url: `mysql://nobody@127.0.0.1:${await closedPort()}/x`,
    connectionsMax: 1,
    log: silentLog,
    clock: systemClock,
  }) satisfies Database;
  const { ms } = await timed(
    expect(database.query("SELECT 1", [], within())).rejects.toMatchObject({
      code: "database-unreachable",
      remedy: "retry",
    }),
  );
  expect(ms).toBeLessThan(3_000);
  await database.close();
});

async function closedPort(): Promise<number> {
  const listener = createServer();
  await new Promise<void>((resolve) => {
    listener.listen(0, "127.0.0.1", resolve);
  });
  const { port } = listener.address() as AddressInfo;
  await new Promise<void>((resolve) => {
    listener.close(() => {
      resolve();
    });
  });
  return port;
}
