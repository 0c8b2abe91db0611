import { readFile } from "node:fs/promises";
import { createConnection } from "mysql2/promise";
import { parseSchemaFile } from "../../db/schema-files.ts";

/** The guide's example of a company with tables of its own, in the database of this administrator's URL. */
export async function createOwnSchema(url: string): Promise<void> {
  const text = await readFile("docs/examples/own-schema.sql", "utf8");
  const connection = await createConnection({ uri: url, timezone: "Z" });
  try {
    await connection.query("SET time_zone = '+00:00'");
    for (const statement of parseSchemaFile("own-schema.sql", text).statements)
      await connection.query(statement);
  } finally {
    connection.destroy();
  }
}
