import type { Connection, RowDataPacket } from "mysql2/promise";
import { CONTRACT_VIEWS } from "./columns.ts";
import type { ContractStructure } from "./structure.ts";

/** Reads what the catalog of the connection's database says of the data contract. Errors: those of the driver. */
export async function readContractStructure(connection: Connection): Promise<ContractStructure> {
  const [columns] = await connection.query<RowDataPacket[]>(
    `SELECT table_name AS view_name, column_name AS name, data_type AS data_type FROM information_schema.columns
      WHERE table_schema = DATABASE() AND table_name IN (?)`,
    [Object.keys(CONTRACT_VIEWS)],
  );
  const views: Record<string, Record<string, string>> = {};
  for (const row of columns) {
    (views[String(row["view_name"])] ??= {})[String(row["name"])] = String(row["data_type"]).toLowerCase();
  }
  const [procedures] = await connection.query<RowDataPacket[]>(
    `SELECT 1 FROM information_schema.routines
      WHERE routine_schema = DATABASE() AND routine_name = 'apply_decisions' AND routine_type = 'PROCEDURE'`,
  );
  const [parameters] = await connection.query<RowDataPacket[]>(
    `SELECT parameter_mode AS mode, data_type AS data_type FROM information_schema.parameters
      WHERE specific_schema = DATABASE() AND specific_name = 'apply_decisions' AND routine_type = 'PROCEDURE'
      ORDER BY ordinal_position`,
  );
  const declared = parameters.map((row) => ({
    mode: String(row["mode"]),
    dataType: String(row["data_type"]).toLowerCase(),
  }));
  return { views, parameters: procedures.length === 0 ? undefined : declared };
}
