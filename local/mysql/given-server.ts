import { createConnection } from "mysql2/promise";
import { ACCOUNT_ROLES, accountName } from "../../db/accounts.ts";

/**
 * Takes a database and its accounts off a server that somebody else runs ($MYSQL_URL), of which nothing else was changed.
 * `adminUrl` is an administrator's.
 */
export async function dropDatabase(adminUrl: string, database: string): Promise<void> {
  const url = new URL(adminUrl);
  url.pathname = "/";
  const connection = await createConnection({ uri: url.href });
  try {
    await connection.query(`DROP DATABASE IF EXISTS \`${database}\``);
    for (const role of ACCOUNT_ROLES) {
      await connection.query(`DROP USER IF EXISTS \`${accountName(database, role)}\`@'%'`);
    }
  } finally {
    await connection.end();
  }
}
