import type { Connection, RowDataPacket } from "mysql2/promise";
import { parsedJson } from "../rows.ts";
import type { AvailableCourierRow, OpenOrderRow } from "../snapshot.ts";

/**
 * Decisions that are made for real and taken back: what `apply_decisions` does must show in the views, and what it cannot do must
 * be reported. All of it is one transaction that is rolled back; meanwhile it holds the locks that a commit holds.
 */

export type TrialCity = {
  readonly city: string;
  readonly orders: readonly OpenOrderRow[];
  readonly couriers: readonly AvailableCourierRow[];
};

export type TrialReport = {
  readonly mistakes: readonly string[];
  /** What there was nothing to try with. */
  readonly notTried: readonly string[];
};

type Decision = {
  readonly order: string;
  readonly courier: string;
  readonly stop: number;
  readonly from: string | null;
};
/** undefined: the procedure ended the transaction or failed, and nothing more may be tried. */
type Answer = readonly string[] | undefined;

/** No order of any company; a number, for those whose ids are numbers. */
const NOBODY = "0";
/** Beyond every real tick, so that its rows meet no others; each list has a tick of its own, as in truth. */
const TRIAL_TICK = 9_000_000_000_000_000_000n;
/** Savepoint no longer there: the transaction in which it stood has ended. */
const SAVEPOINT_GONE = 1305;

/** `connection` has nothing under way. Errors of the procedure become sentences; those of the network are thrown. */
export async function tryDecisions(connection: Connection, city: TrialCity): Promise<TrialReport> {
  const mistakes: string[] = [];
  const trial = new Trial(connection, city.city, mistakes);
  await connection.query("SET TRANSACTION ISOLATION LEVEL READ COMMITTED");
  await connection.query("START TRANSACTION");
  try {
    const impossible = await trial.apply({ order: NOBODY, courier: NOBODY, stop: 1, from: null });
    if (impossible === undefined) return { mistakes, notTried: [] };
    if (impossible.length !== 1) {
      mistakes.push(
        'apply_decisions does not report a decision for an order that does not exist: p_dropped is to be [{"order": …, "courier": …, "because": "order-gone"}]',
      );
    }
    const pair = freePair(city);
    if (pair === undefined) {
      return {
        mistakes,
        notTried: [`${city.city} has no order without a courier beside a courier with room`],
      };
    }
    await tryPair(trial, pair, mistakes);
    return { mistakes, notTried: [] };
  } finally {
    await connection.query("ROLLBACK");
  }
}

type Pair = {
  readonly order: string;
  readonly courier: string;
  readonly load: number;
  readonly other: string | undefined;
};

/** An order that nobody has, one who may take it, and one to whom it could be given next. */
function freePair({ orders, couriers }: TrialCity): Pair | undefined {
  for (const { orderId, courierId, declinedBy, vehicles } of orders) {
    if (courierId !== undefined) continue;
    const [first, second] = couriers.filter(
      (courier) =>
        courier.activeLoad < courier.capacity &&
        !declinedBy.includes(courier.courierId) &&
        (vehicles.length === 0 || vehicles.includes(courier.vehicle)),
    );
    if (first === undefined) continue;
    return { order: orderId, courier: first.courierId, load: first.activeLoad, other: second?.courierId };
  }
  return undefined;
}

async function tryPair(trial: Trial, pair: Pair, mistakes: string[]): Promise<void> {
  const { order, courier, other } = pair;
  const decision = { order, courier, stop: 1, from: null };
  const dropped = await trial.apply(decision);
  // The company's rules may know more than the views show; what it says then is its answer.
  if (dropped === undefined || dropped.length > 0) return;
  if ((await trial.holderOf(order)) !== courier) {
    mistakes.push(
      `open_orders does not show courier ${courier} with order ${order} after apply_decisions gave it to him or her`,
    );
  }
  if ((await trial.loadOf(courier)) !== pair.load + 1) {
    mistakes.push(
      `available_couriers does not count order ${order} in the active_load of courier ${courier} after apply_decisions`,
    );
  }
  const again = await trial.apply(decision);
  if (again?.length === 0) mistakes.push("apply_decisions gives the same order twice, and reports nothing");
  if (again === undefined || other === undefined) return;
  const stolen = await trial.apply({ order, courier: other, stop: 1, from: NOBODY });
  if (stolen?.length === 0) {
    mistakes.push(
      "apply_decisions takes an order from another courier than `from` says: report it as order-taken",
    );
  }
  if (stolen === undefined || stolen.length === 0) return;
  const moved = await trial.apply({ order, courier: other, stop: 1, from: courier });
  if (moved?.length === 0 && (await trial.holderOf(order)) !== other) {
    mistakes.push(
      `open_orders does not show that order ${order} was taken from one courier and given to another`,
    );
  }
}

class Trial {
  readonly #connection: Connection;
  readonly #city: string;
  readonly #mistakes: string[];
  #lists = 0n;

  constructor(connection: Connection, city: string, mistakes: string[]) {
    this.#connection = connection;
    this.#city = city;
    this.#mistakes = mistakes;
  }

  /** The reasons of what was dropped. */
  async apply(decision: Decision): Promise<Answer> {
    this.#lists += 1n;
    try {
      await this.#connection.query("SAVEPOINT contract_trial");
      await this.#connection.query("SET @contract_dropped = NULL");
      await this.#connection.query("CALL apply_decisions(?, 1, 1, ?, ?, @contract_dropped)", [
        this.#city,
        String(TRIAL_TICK + this.#lists),
        JSON.stringify([decision]),
      ]);
      await this.#connection.query("RELEASE SAVEPOINT contract_trial");
    } catch (error) {
      const { errno, message } = error as { readonly errno?: number; readonly message: string };
      if (errno === undefined) throw error;
      this.#mistakes.push(
        errno === SAVEPOINT_GONE
          ? "apply_decisions ends the transaction that it is called in: it must neither commit, nor roll back, nor change a table's definition"
          : `apply_decisions failed: ${message}`,
      );
      return undefined;
    }
    const [rows] = await this.#connection.query<RowDataPacket[]>("SELECT @contract_dropped AS dropped");
    const dropped = parsedJson(rows[0]?.["dropped"]) ?? [];
    if (isDropped(dropped)) return dropped.map(({ because }) => because);
    this.#mistakes.push(
      'apply_decisions: p_dropped is NULL or [{"order": …, "courier": …, "because": …}, …], all of it text',
    );
    return undefined;
  }

  async holderOf(order: string): Promise<string | undefined> {
    const [rows] = await this.#connection.query<RowDataPacket[]>(
      "SELECT CAST(courier_id AS CHAR) AS courier_id FROM open_orders WHERE city = ? AND order_id = ?",
      [this.#city, order],
    );
    return rows[0]?.["courier_id"] as string | undefined;
  }

  async loadOf(courier: string): Promise<number> {
    const [rows] = await this.#connection.query<RowDataPacket[]>(
      "SELECT active_load FROM available_couriers WHERE city = ? AND courier_id = ?",
      [this.#city, courier],
    );
    return Number(rows[0]?.["active_load"]);
  }
}

function isDropped(value: unknown): value is readonly { readonly because: string }[] {
  return (
    Array.isArray(value) &&
    value.every((item: unknown) => {
      const { order, courier, because } = (item ?? {}) as Record<string, unknown>;
      return [order, courier, because].every((text) => typeof text === "string");
    })
  );
}
