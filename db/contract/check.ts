import { createConnection, type Connection, type RowDataPacket } from "mysql2/promise";
import { abortable } from "../../runtime/abort.ts";
import { connectionOptions, type SslSettings } from "../connection-options.ts";
import { databaseError } from "../database-error.ts";
import { availableCourierOf, openOrderOf } from "../snapshot.ts";
import { readContractStructure } from "./catalog.ts";
import { CONTRACT_VIEWS } from "./columns.ts";
import { rowMistakes } from "./rows.ts";
import { missingObjects, structureMistakes } from "./structure.ts";
import { tryDecisions, type TrialCity } from "./trial.ts";

/** Whether a database keeps the data contract, by its catalog, by its rows and by decisions that are taken back. */

export type ContractReport = {
  /** Sentences that say what to write; none: the contract is kept as far as it was seen. */
  readonly mistakes: readonly string[];
  readonly notTried: readonly string[];
  readonly cities: readonly string[];
};

const CONNECT_LIMIT_MS = 5_000;
const CITIES_MAX = 20;
const ROWS_MAX = 2_000;

/** `url`: of an account with the rights that `migrate` needs. Errors: those of databaseError. */
export async function checkContract(
  database: { readonly url: string; readonly ssl?: SslSettings },
  signal: AbortSignal,
): Promise<ContractReport> {
  try {
    const connection = await abortable(
      createConnection({
        ...connectionOptions(database.url, database.ssl),
        timezone: "Z",
        connectTimeout: CONNECT_LIMIT_MS,
        supportBigNumbers: true,
        bigNumberStrings: true,
      }),
      signal,
    );
    try {
      return await abortable(checkOver(connection), signal);
    } finally {
      connection.destroy();
    }
  } catch (error) {
    signal.throwIfAborted();
    throw databaseError(error);
  }
}

export function formatContractReport({ mistakes, notTried, cities }: ContractReport): string {
  return [
    `looked at ${cities.length === 0 ? "no city, as the views are empty" : cities.join(", ")}`,
    ...mistakes.map((mistake) => `  WRONG  ${mistake}`),
    ...notTried.map((what) => `  not tried: ${what}`),
    mistakes.length === 0 ? "the data contract is kept" : "THE DATA CONTRACT IS NOT KEPT",
  ].join("\n");
}

async function checkOver(connection: Connection): Promise<ContractReport> {
  await connection.query("SET time_zone = '+00:00'");
  const structure = await readContractStructure(connection);
  const mistakes = [
    ...missingObjects(structure).map((name) => `there is no ${name} in this database: create it`),
    ...structureMistakes(structure),
  ];
  // Without its columns nothing can be read.
  if (mistakes.length > 0) return { mistakes, notTried: [], cities: [] };
  const cities = await readCities(connection);
  const found = new Set<string>();
  const notTried: string[] = [];
  for (const name of cities) {
    const city = await readCity(connection, name);
    for (const mistake of city.mistakes) found.add(mistake);
    if (city.mistakes.length > 0) continue;
    const trial = await tryDecisions(connection, city);
    for (const mistake of trial.mistakes) found.add(mistake);
    notTried.push(...trial.notTried);
  }
  if (cities.length === 0) notTried.push("decisions, since there is no open order");
  return { mistakes: [...found], notTried, cities };
}

async function readCities(connection: Connection): Promise<readonly string[]> {
  const [rows] = await connection.query<RowDataPacket[]>(
    "SELECT DISTINCT city FROM open_orders ORDER BY city LIMIT ?",
    [CITIES_MAX],
  );
  return rows.map((row) => String(row["city"]));
}

async function readCity(
  connection: Connection,
  city: string,
): Promise<TrialCity & { readonly mistakes: readonly string[] }> {
  const read = async (view: string): Promise<RowDataPacket[]> => {
    const sql = `SELECT *, UTC_TIMESTAMP(3) AS contract_now FROM ${view} WHERE city = ? LIMIT ${ROWS_MAX}`;
    return (await connection.query<RowDataPacket[]>(sql, [city]))[0];
  };
  const rows = {
    open_orders: await read("open_orders"),
    available_couriers: await read("available_couriers"),
  };
  const missing = Object.entries(rows).flatMap(([view, found]) => nullMistakes(view, found));
  if (missing.length > 0) return { city, orders: [], couriers: [], mistakes: missing };
  const orders = rows.open_orders.map(openOrderOf);
  const couriers = rows.available_couriers.map(availableCourierOf);
  const now = (rows.open_orders[0] ?? rows.available_couriers[0])?.["contract_now"] as Date | undefined;
  return { city, orders, couriers, mistakes: rowMistakes({ nowMs: now?.getTime() ?? 0, orders, couriers }) };
}

function nullMistakes(view: string, rows: readonly RowDataPacket[]): readonly string[] {
  return (CONTRACT_VIEWS[view] ?? [])
    .filter(({ name, isNullable }) => !isNullable && rows.some((row) => row[name] === null))
    .map(({ name }) => `${view}.${name} is NULL in a row: it must always be there`);
}
