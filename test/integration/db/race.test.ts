import { randomInt, randomUUID } from "node:crypto";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "@jest/globals";
import { audit, type AuditReport } from "../../../db/audit.ts";
import { createFence, type Fence } from "../../../db/fence.ts";
import { systemClock } from "../../../runtime/clock.ts";
import { readSchema } from "../../../db/schema-files.ts";
import { randomStream } from "../../../local/traffic/random.ts";
import {
  CLUSTER,
  freshDatabase,
  MYSQL_START_LIMIT_MS,
  startTestMysql,
  tokenOf,
  within,
  type TestDatabase,
  type TestMysql,
} from "../../support/mysql.ts";

/**
 * Holders that all believe they hold the city commit as fast as they can while claims alternate. Whether the commits go
 * wrong without a check proves that the run is hard enough to need it, and that the auditor sees it.
 */

const RACE_MS = 2_000;
const HOLDERS = 2;

let server: TestMysql;
let db: TestDatabase;

beforeAll(async () => {
  server = await startTestMysql();
}, MYSQL_START_LIMIT_MS);
afterAll(async () => {
  await server.close();
});
beforeEach(async () => {
  db = await freshDatabase(server);
});
afterEach(async () => {
  await db.close();
});

type Tallies = { committed: number; fenced: number; outpaced: number; claims: number };

/** Runs the race; every committed tick that a holder was told of is in the returned list. */
async function race(): Promise<Tallies & { readonly told: readonly { tick: bigint; commitId: string }[] }> {
  const seed = Number(process.env["SEED"] ?? randomInt(2 ** 31));
  process.stderr.write(`race: SEED=${seed}\n`);
  const tallies: Tallies = { committed: 0, fenced: 0, outpaced: 0, claims: 0 };
  const told: { tick: bigint; commitId: string }[] = [];
  const endMs = performance.now() + RACE_MS;
  let lastToken = 0;

  async function hold(fence: Fence, holder: string, random: () => number): Promise<void> {
    while (performance.now() < endMs) {
      lastToken += 1;
      const token = tokenOf(lastToken);
      const claimed = await fence.claim(
        { city: "madrid", clusterUid: CLUSTER, epoch: 1n, token, holder },
        within(),
      );
      if (claimed.kind !== "claimed") continue;
      tallies.claims += 1;
      let { tick, commitId: previousCommitId } = claimed;
      // Frozen now and then between two commits, and stubborn: it goes on for a while after the first refusal.
      for (let refused = 0; refused < 4 && performance.now() < endMs;) {
        if (random() < 0.1) await systemClock.sleep(random() * 30, within());
        // Wrong now and then about a commit whose answer it did not see, without claiming again to find out.
        if (random() < 0.05) tick += 1n;
        // And now and then about what it builds on, as after a fail-over that lost it.
        const isOfLostHistory = random() < 0.05;
        const commitId = randomUUID();
        const outcome = await fence.commit(
          {
            city: "madrid",
            epoch: claimed.epoch,
            token,
            tick: tick + 1n,
            commitId,
            previousCommitId: isOfLostHistory ? randomUUID() : previousCommitId,
            slotMs: Math.round(random() * 1e12),
            periodMs: 1_000,
            snapshotTick: tick,
            degraded: false,
            decisions: [],
          },
          within(),
        );
        expect(outcome.kind).not.toBe("unknown");
        if (outcome.kind === "unknown") return;
        tallies[outcome.kind] += 1;
        if (outcome.kind === "committed") {
          tick += 1n;
          previousCommitId = commitId;
          told.push({ tick, commitId });
        } else {
          refused += 1;
          tick += random() < 0.5 ? 1n : 0n;
        }
      }
    }
  }

  await Promise.all(
    Array.from({ length: HOLDERS }, async (_, index) => {
      const database = db.open("worker", { connectionsMax: 2 });
      // Without its checks the procedure may throw for the ledger's key; a holder then begins anew.
      const fence = createFence({ database, clock: systemClock });
      const random = randomStream(seed, index);
      while (performance.now() < endMs) {
        await hold(fence, `w${index}`, random).catch((error: unknown) => {
          if ((error as { code?: string }).code !== "database-statement") throw error;
        });
      }
    }),
  );
  return { ...tallies, told };
}

/** Replaces commit_tick by itself without the part between `-- check: <name>` and `-- end of check: <name>`. */
async function removeCheck(name: string): Promise<void> {
  const files = await readSchema("protocol");
  const text = files.find((file) => file.name.endsWith("commit-tick.sql"))?.statements[0] ?? "";
  const weakened = text.replace(new RegExp(`-- check: ${name}\\n[^]*-- end of check: ${name}\\n`), "");
  expect(weakened.length).toBeLessThan(text.length - 100);
  await db.sql(
    "DROP PROCEDURE commit_tick",
    weakened,
    `GRANT EXECUTE ON PROCEDURE commit_tick TO \`${db.name}_worker\`@'%'`,
  );
}

const violated = ({ checks }: AuditReport): number[] =>
  checks.filter(({ violationsTotal }) => violationsTotal > 0).map(({ invariant }) => invariant);

test("of several holders only the fence's one gets through, and every commit that was told is there", async () => {
  const result = await race();
  expect(result.committed).toBeGreaterThan(20);
  expect(result.fenced).toBeGreaterThan(5);
  expect(result.claims).toBeGreaterThan(5);
  const rows = await db.sql("SELECT tick, BIN_TO_UUID(commit_id) AS id FROM tick ORDER BY tick");
  const ledger = rows.map((row) => `${row["tick"]} ${row["id"]}`);
  const told = result.told.toSorted((left, right) => Number(left.tick - right.tick));
  expect(told.map(({ tick, commitId }) => `${tick} ${commitId}`)).toEqual(ledger);
  expect(violated(await audit(db.open("admin"), within()))).toEqual([]);
}, 30_000);

test("without the token check the same race leaves what the auditor objects to", async () => {
  await removeCheck("token");
  await race();
  expect(violated(await audit(db.open("admin"), within()))).toEqual(expect.arrayContaining([1]));
}, 30_000);

test("without the check of the previous commit the same race leaves what the auditor objects to", async () => {
  await removeCheck("previous commit");
  await race();
  expect(violated(await audit(db.open("admin"), within()))).toEqual(expect.arrayContaining([4]));
}, 30_000);

test("without the tick check the same race leaves what the auditor objects to", async () => {
  await removeCheck("tick");
  await race();
  expect(violated(await audit(db.open("admin"), within()))).toEqual(expect.arrayContaining([3]));
}, 30_000);
