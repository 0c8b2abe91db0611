import type { RowDataPacket } from "mysql2/promise";
import { createFence, type CommitOutcome, type DroppedDecision, type Fence } from "../../db/fence.ts";
import type { Database, SqlValue } from "../../db/pool.ts";
import { readSnapshot, type CitySnapshot } from "../../db/snapshot.ts";
import { systemClock } from "../../runtime/clock.ts";
import { chained, CLUSTER, decisionOf, tokenOf, within, type TestDatabase } from "./mysql.ts";

/** Madrid on a database of its own, claimed, with decisions and the company's services as short texts. */
export type DecidingCity = {
  readonly worker: Database;
  readonly fence: Fence;
  /** Commits the next tick; decisions as `decisionOf` reads them. The order of the dropped ones means nothing. */
  commit(...decisions: readonly string[]): Promise<CommitOutcome>;
  /** Calls one of the company's procedures; returns its outcome. */
  act(procedure: string, ...values: readonly SqlValue[]): Promise<unknown>;
  /** As the company's app does it: done with everything in 2030. */
  accept(order: string, courier: string): Promise<unknown>;
  snapshot(): Promise<CitySnapshot>;
  /** "o1 c1" per active assignment, in the order of the orders. */
  active(): Promise<readonly string[]>;
};

export async function openDecidingCity(db: TestDatabase): Promise<DecidingCity> {
  const worker = db.open("worker");
  const feed = db.open("feed");
  const fence = createFence({ database: worker, clock: systemClock });
  let tick = 0n;
  await fence.claim(
    { city: "madrid", clusterUid: CLUSTER, epoch: 1n, token: tokenOf(1), holder: "w" },
    within(),
  );
  const act: DecidingCity["act"] = async (procedure, ...values) => {
    const marks = values.map(() => "?").join(", ");
    const [rows] = await feed.call(`CALL ${procedure}('madrid', ${marks})`, values, within());
    return rows?.[0]?.["outcome"];
  };
  return {
    worker,
    fence,
    act,
    accept: (order, courier) =>
      act("accept_order", order, courier, new Date("2030-01-01T00:00:00.250Z"), 40.5, -3.6),
    async commit(...decisions) {
      tick += 1n;
      const outcome = await fence.commit(
        {
          city: "madrid",
          epoch: 1n,
          token: tokenOf(1),
          ...chained(tick),
          slotMs: Number(tick) * 1_000,
          periodMs: 1_000,
          degraded: false,
          decisions: decisions.map(decisionOf),
        },
        within(),
      );
      return outcome.kind === "committed" ? { ...outcome, dropped: sorted(outcome.dropped) } : outcome;
    },
    snapshot: () => readSnapshot(worker, "madrid", within()),
    async active() {
      const rows: RowDataPacket[] = await db.sql(
        "SELECT order_id, courier_id FROM assignment WHERE state = 'active' ORDER BY order_id",
      );
      return rows.map((row) => `${row["order_id"]} ${row["courier_id"]}`);
    },
  };
}

/** A commit of which these were dropped: "o1 c1 order-gone". */
export function committed(...dropped: readonly string[]): CommitOutcome {
  return {
    kind: "committed",
    dropped: dropped.map((text) => {
      const [order = "", courier = "", because = ""] = text.split(" ");
      return { order, courier, because };
    }),
  };
}

function sorted(dropped: readonly DroppedDecision[]): readonly DroppedDecision[] {
  const keyOf = ({ order, courier }: DroppedDecision): string => `${order} ${courier}`;
  return dropped.toSorted((left, right) => keyOf(left).localeCompare(keyOf(right)));
}
