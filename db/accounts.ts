import type { Connection } from "mysql2/promise";
import { databaseOf, parseDatabaseUrl } from "./connection-options.ts";

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

/**
 * The passwords of the product's own accounts, as the URLs that its processes use have them; `strangers` are the users of the
 * others, which the role has to be granted to.
 */
export function passwordsOfUrls(
  database: string,
  urls: Partial<Readonly<Record<AccountRole, string>>>,
): {
  readonly passwords: AccountPasswords;
  readonly strangers: readonly { readonly role: AccountRole; readonly user: string }[];
} {
  const passwords: Partial<Record<AccountRole, string>> = {};
  const strangers: { role: AccountRole; user: string }[] = [];
  for (const role of ACCOUNT_ROLES) {
    if (urls[role] === undefined) continue;
    const url = parseDatabaseUrl(urls[role]);
    const user = decodeURIComponent(url.username);
    if (databaseOf(url) === database && user === accountName(database, role)) {
      passwords[role] = decodeURIComponent(url.password);
    } else strangers.push({ role, user });
  }
  return { passwords, strangers };
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
