import { randomUUID } from "node:crypto";
import { createConnection, type Connection } from "mysql2/promise";
import { createFence } from "../../../db/fence.ts";
import { systemClock } from "../../../runtime/clock.ts";
import { CLUSTER, tokenOf, type TestDatabase } from "../../support/mysql.ts";
import type { Batch } from "./data.ts";

/** Ways to write the decisions of one tick. Opened for one city, from then on each call writes one batch. */
export type Method = {
  readonly name: string;
  /** Statements that wait for each other. */
  readonly roundTrips: number;
  open(input: { readonly db: TestDatabase; readonly city: string; readonly port: number }): Promise<Writer>;
};

export type Writer = { write(batch: Batch): Promise<void>; close(): Promise<void> };

const PERIOD_MS = 10_000;
let claims = 0;

/** The product as it is: `createFence` over its own pool. */
const FENCED: Method = {
  name: "fenced commit",
  roundTrips: 1,
  async open({ db, city, port }) {
    const database = db.open("worker", { port, connectionsMax: 1 });
    const fence = createFence({ database, clock: systemClock });
    const token = tokenOf(++claims);
    const within = (): AbortSignal => AbortSignal.timeout(60_000);
    const claim = { city, clusterUid: CLUSTER, epoch: 1n, token, holder: `worker-${claims}` };
    const claimed = await fence.claim(claim, within());
    if (claimed.kind !== "claimed") throw new Error(`the claim of ${city} came to ${claimed.kind}`);
    let { tick, commitId: previousCommitId } = claimed;
    return {
      async write({ decisions }) {
        const commitId = randomUUID();
        const outcome = await fence.commit(
          {
            city,
            epoch: 1n,
            token,
            tick: tick + 1n,
            commitId,
            previousCommitId,
            slotMs: Number(tick + 1n) * PERIOD_MS,
            periodMs: PERIOD_MS,
            snapshotTick: tick,
            degraded: false,
            decisions: decisions.map((one) => ({ ...one, stop: 1, from: undefined })),
          },
          within(),
        );
        if (outcome.kind !== "committed" || outcome.dropped.length > 0) {
          throw new Error(`a commit of ${city} came to ${JSON.stringify(outcome)}`);
        }
        tick += 1n;
        previousCommitId = commitId;
      },
      close: async () => database.close(),
    };
  },
};

/** All that is beside the product has a plain connection, and writes the decisions alone: no ledger, no fence. */
function plain(
  name: string,
  roundTrips: number,
  write: (connection: Connection, batch: Batch) => Promise<void>,
): Method {
  return {
    name,
    roundTrips,
    async open({ db, port }) {
      const url = new URL(db.urls.admin);
      url.port = String(port);
      const connection = await createConnection({ uri: url.href, timezone: "Z" });
      return {
        write: async (batch) => write(connection, batch),
        close: async () => {
          connection.destroy();
        },
      };
    },
  };
}

async function insert(connection: Connection, { city, number, decisions }: Batch): Promise<void> {
  const rows = decisions.map(({ order, courier }) => [city, number + 1, order, courier, 1]);
  await connection.query(
    `INSERT INTO assignment (city, tick, order_id, courier_id, stop, assigned_at) VALUES ${rows.map(() => "(?, ?, ?, ?, ?, UTC_TIMESTAMP(3))").join(", ")}`,
    rows.flat(),
  );
}

export const METHODS: readonly Method[] = [
  FENCED,
  plain("plain transaction", 3, async (connection, batch) => {
    await connection.query("BEGIN");
    await insert(connection, batch);
    await connection.query("COMMIT");
  }),
  plain("autocommit", 1, insert),
  // As long as the transaction is open, the row keeps everybody else out: through the whole tick, in earnest.
  plain("pessimistic lock", 5, async (connection, batch) => {
    await connection.query("BEGIN");
    await connection.query("SELECT token FROM city_fence WHERE city = ? FOR UPDATE", [batch.city]);
    await insert(connection, batch);
    await connection.query("UPDATE city_fence SET changed_at = UTC_TIMESTAMP(3) WHERE city = ?", [
      batch.city,
    ]);
    await connection.query("COMMIT");
  }),
  // Asks whether the lease is still ours, then writes: a pause in between writes over the next holder.
  plain("lease without fence", 2, async (connection, batch) => {
    await connection.query("SELECT holder FROM city_fence WHERE city = ?", [batch.city]);
    await insert(connection, batch);
  }),
];
