import type { Database, Row } from "./pool.ts";
import { bigintOf, idOrUndefined, parsedJson, textOrUndefined, timeMsOf, timeMsOrUndefined } from "./rows.ts";

/** What any database of the product says about one order: its views, its ledger, and the reference schema where it is there. */

/** One tick that the order may have been in. */
export type StoryTick = {
  readonly tick: bigint;
  readonly slotMs: number;
  readonly committedAtMs: number;
  readonly holder: string;
  /** Undefined: not kept, or forgotten. */
  readonly dispatcher: string | undefined;
  readonly leftOut: number;
  /** zstd; undefined with `dispatcher`. */
  readonly explanations: Buffer | undefined;
  readonly dropped: readonly { readonly order: string; readonly courier: string; readonly because: string }[];
};

/** The order as the view `open_orders` shows it now. */
export type OpenOrder = {
  readonly placedAtMs: number;
  readonly readyAtMs: number;
  readonly courier: string | undefined;
  readonly declinedBy: readonly string[];
};

/** A row of the reference schema's `orders`. Undefined: that has not happened. */
export type ReferenceOrder = {
  readonly status: string;
  readonly placedAtMs: number;
  readonly readyAtMs: number;
  readonly pickedUpAtMs: number | undefined;
  readonly deliveredAtMs: number | undefined;
  readonly cancelledAtMs: number | undefined;
};

/** A row of the reference schema's `assignment`. */
export type ReferenceAssignment = {
  readonly tick: bigint;
  readonly courier: string;
  readonly assignedAtMs: number;
  readonly acceptedAtMs: number | undefined;
  readonly endedAtMs: number | undefined;
  readonly state: string;
};

export type StoryDatabase = {
  /** The cities that know the order, as far as views and reference tables tell. */
  findCities(order: string): Promise<readonly string[]>;
  findOpenOrder(city: string, order: string): Promise<OpenOrder | undefined>;
  /** Ids, at most so many, those that were placed last first. */
  latestOpenOrders(city: string, count: number): Promise<readonly string[]>;
  /** Undefined also where the reference schema is not. */
  findReferenceOrder(city: string, order: string): Promise<ReferenceOrder | undefined>;
  findReferenceAssignments(city: string, order: string): Promise<readonly ReferenceAssignment[]>;
  /** In pages, by number; those committed before `sinceMs` (database's clock) are left out. */
  readTicks(city: string, sinceMs: number): AsyncGenerator<StoryTick>;
};

/** With explanations of a tenth of a mebibyte each at most, a page is no burden for whoever reads. */
const TICKS_PER_PAGE = 100;

const TICKS = `
SELECT t.tick, t.slot_ms, t.committed_at, t.holder, t.dropped, e.dispatcher, e.left_out, e.explanations
  FROM tick t
  LEFT JOIN tick_explanation e ON e.city = t.city AND e.tick = t.tick AND e.commit_id = t.commit_id
 WHERE t.city = ? AND t.tick > ? AND t.committed_at >= ?
 ORDER BY t.tick LIMIT ${TICKS_PER_PAGE}`;

/** Errors of all: those of Database. */
export async function openStory(database: Database, signal: AbortSignal): Promise<StoryDatabase> {
  const tables = await database.query(
    `SELECT COUNT(*) AS found FROM information_schema.tables
      WHERE table_schema = DATABASE() AND table_type = 'BASE TABLE' AND table_name IN ('orders', 'assignment')`,
    [],
    signal,
  );
  const applied = await database.query(
    "SELECT COUNT(*) AS found FROM schema_version WHERE name = 'reference/001-tables.sql'",
    [],
    signal,
  );
  // A company's own tables of these names mean something else.
  const hasReference = Number(tables[0]?.["found"]) === 2 && Number(applied[0]?.["found"]) === 1;

  return {
    async findCities(order) {
      const views = await database.query(
        "SELECT DISTINCT city FROM open_orders WHERE order_id = ?",
        [order],
        signal,
      );
      const rows = hasReference
        ? await database.query("SELECT DISTINCT city FROM orders WHERE id = ?", [order], signal)
        : [];
      return [...new Set([...views, ...rows].map((row) => String(row["city"])))];
    },
    async findOpenOrder(city, order) {
      const sql =
        "SELECT placed_at, ready_at, courier_id, declined_by FROM open_orders WHERE city = ? AND order_id = ?";
      const [row] = await database.query(sql, [city, order], signal);
      return row === undefined ? undefined : openOrderOf(row);
    },
    async latestOpenOrders(city, count) {
      const sql = "SELECT order_id FROM open_orders WHERE city = ? ORDER BY placed_at DESC LIMIT ?";
      return (await database.query(sql, [city, count], signal)).map((row) => String(row["order_id"]));
    },
    async findReferenceOrder(city, order) {
      if (!hasReference) return undefined;
      const [row] = await database.query(
        "SELECT * FROM orders WHERE city = ? AND id = ?",
        [city, order],
        signal,
      );
      return row === undefined ? undefined : referenceOrderOf(row);
    },
    async findReferenceAssignments(city, order) {
      if (!hasReference) return [];
      const sql = "SELECT * FROM assignment WHERE city = ? AND order_id = ? ORDER BY tick";
      return (await database.query(sql, [city, order], signal)).map(referenceAssignmentOf);
    },
    async *readTicks(city, sinceMs) {
      let after = 0n;
      for (;;) {
        const rows = await database.query(TICKS, [city, after, new Date(sinceMs)], signal);
        for (const row of rows) yield storyTickOf(row);
        const last = rows.at(-1);
        if (last === undefined || rows.length < TICKS_PER_PAGE) return;
        after = bigintOf(last["tick"]);
      }
    },
  };
}

/** Undefined: that tick is not recorded, or not any more. Errors: those of Database. */
export async function readRecord(
  database: Database,
  { city, tick }: { readonly city: string; readonly tick: bigint },
  signal: AbortSignal,
): Promise<Buffer | undefined> {
  const sql = "SELECT record FROM tick_explanation WHERE city = ? AND tick = ?";
  const [row] = await database.query(sql, [city, tick], signal);
  return (row?.["record"] ?? undefined) as Buffer | undefined;
}

/** The numbers of the city's recorded ticks, the newest first. Errors: those of Database. */
export async function listRecords(
  database: Database,
  city: string,
  signal: AbortSignal,
): Promise<readonly bigint[]> {
  const sql =
    "SELECT tick FROM tick_explanation WHERE city = ? AND record IS NOT NULL ORDER BY tick DESC LIMIT 20";
  return (await database.query(sql, [city], signal)).map((row) => bigintOf(row["tick"]));
}

function storyTickOf(row: Row): StoryTick {
  return {
    tick: bigintOf(row["tick"]),
    slotMs: Number(row["slot_ms"]),
    committedAtMs: timeMsOf(row["committed_at"]),
    holder: String(row["holder"]),
    dispatcher: textOrUndefined(row["dispatcher"]),
    leftOut: Number(row["left_out"] ?? 0),
    explanations: (row["explanations"] ?? undefined) as Buffer | undefined,
    dropped: (parsedJson(row["dropped"]) ?? []) as StoryTick["dropped"],
  };
}

function openOrderOf(row: Row): OpenOrder {
  return {
    placedAtMs: timeMsOf(row["placed_at"]),
    readyAtMs: timeMsOf(row["ready_at"]),
    courier: idOrUndefined(row["courier_id"]),
    declinedBy: ((parsedJson(row["declined_by"]) ?? []) as readonly unknown[]).map(String),
  };
}

function referenceOrderOf(row: Row): ReferenceOrder {
  return {
    status: String(row["status"]),
    placedAtMs: timeMsOf(row["placed_at"]),
    readyAtMs: timeMsOf(row["ready_at"]),
    pickedUpAtMs: timeMsOrUndefined(row["picked_up_at"]),
    deliveredAtMs: timeMsOrUndefined(row["delivered_at"]),
    cancelledAtMs: timeMsOrUndefined(row["cancelled_at"]),
  };
}

function referenceAssignmentOf(row: Row): ReferenceAssignment {
  return {
    tick: bigintOf(row["tick"]),
    courier: String(row["courier_id"]),
    assignedAtMs: timeMsOf(row["assigned_at"]),
    acceptedAtMs: timeMsOrUndefined(row["accepted_at"]),
    endedAtMs: timeMsOrUndefined(row["ended_at"]),
    state: String(row["state"]),
  };
}
