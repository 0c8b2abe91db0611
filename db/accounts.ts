import type { Connection } from "mysql2/promise";

/**
 * The three accounts of the product, named after the database. In MySQL a role is an account that cannot log in, so each
 * of them is a role to be granted to accounts of one's own, until it is given a password.
 */

export const ACCOUNT_ROLES = ["worker", "operator", "feed"] as const;

export type AccountRole = (typeof ACCOUNT_ROLES)[number];

/** A role without a password stays as it is. */
export type AccountPasswords = Partial<Readonly<Record<AccountRole, string>>>;

export function accountName(database: string, role: AccountRole): string {
  return `${database}_${role}`;
}

export async function ensureAccounts(
  connection: Connection,
  database: string,
  passwords: AccountPasswords = {},
): Promise<void> {
  for (const role of ACCOUNT_ROLES) {
    const account = `\`${accountName(database, role)}\`@'%'`;
    await connection.query(`CREATE ROLE IF NOT EXISTS ${account}`);
    const password = passwords[role];
    if (password !== undefined) {
      await connection.query(`ALTER USER ${account} IDENTIFIED BY ? PASSWORD EXPIRE NEVER ACCOUNT UNLOCK`, [
        password,
      ]);
    }
  }
}
