import { execFile } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import type { SslSettings } from "../../../db/connection-options.ts";
import { migrate } from "../../../db/migrate.ts";
import { openDatabase } from "../../../db/pool.ts";
import { systemClock } from "../../../runtime/clock.ts";
import { silentLog } from "../../../runtime/log.ts";
import {
  freshDatabase,
  MYSQL_START_LIMIT_MS,
  startTestMysql,
  within,
  type TestDatabase,
  type TestMysql,
} from "../../support/mysql.ts";

/** Connections over TLS, with a real server and the certificates that it made for itself. */

let server: TestMysql;
let db: TestDatabase;
let ca: string;

beforeAll(async () => {
  server = await startTestMysql();
  db = await freshDatabase(server);
  ca = join(server.directory, "data", "ca.pem");
}, MYSQL_START_LIMIT_MS);
afterAll(async () => {
  await db?.close();
  await server?.close();
});

/** The cipher of a session as the worker; empty when nothing is encrypted. */
async function cipher(parameters: string, ssl: SslSettings = {}, host = "127.0.0.1"): Promise<string> {
  const url = new URL(db.urls.worker);
  url.hostname = host;
  const database = openDatabase({
    url: `${url.href}${parameters}`,
    ssl,
    connectionsMax: 1,
    log: silentLog,
    clock: systemClock,
  });
  try {
    const [row] = await database.query("SHOW STATUS LIKE 'Ssl_cipher'", [], within());
    return String(row?.["Value"]);
  } finally {
    await database.close();
  }
}

describe("a connection to MySQL", () => {
  test("is not encrypted unless asked for", async () => {
    expect(await cipher("")).toBe("");
  });

  test("is encrypted when required, whoever signed the server's certificate", async () => {
    expect(await cipher("?ssl-mode=REQUIRED")).toMatch(/^TLS_/);
    expect(await cipher("", { mode: "REQUIRED" })).toMatch(/^TLS_/);
  });

  test("is made when a trusted authority signed the certificate, and refused otherwise", async () => {
    expect(await cipher(`?ssl-mode=VERIFY_CA&ssl-ca=${ca}`)).toMatch(/^TLS_/);
    await expect(cipher("?ssl-mode=VERIFY_CA")).rejects.toMatchObject({
      code: "database-unreachable",
      message: expect.stringMatching(/certificate/),
    });
  });

  test("is refused when the certificate is made out to another host", async () => {
    await expect(cipher("", { mode: "VERIFY_IDENTITY", caFile: ca }, "localhost")).rejects.toMatchObject({
      code: "database-unreachable",
      message: expect.stringMatching(/does not match certificate/),
    });
  });

  test("is made when the certificate is made out to the host", async () => {
    await issueCertificate(join(server.directory, "data"), "localhost");
    await db.sql("ALTER INSTANCE RELOAD TLS");
    expect(await cipher("", { caFile: ca }, "localhost")).toMatch(/^TLS_/);
  });

  test("of an account that must use TLS works, for a migration as well", async () => {
    await db.sql(`ALTER USER '${db.name}_worker'@'%' REQUIRE SSL`);
    await expect(cipher("")).rejects.toMatchObject({ code: "database-denied" });
    expect(await cipher("?ssl-mode=REQUIRED")).toMatch(/^TLS_/);
    await migrate(
      { url: db.urls.admin, ssl: { mode: "VERIFY_CA", caFile: ca }, progress: () => undefined },
      within(30_000),
    );
  });
});

/** Signs a certificate for this host with the authority that the server made when its data directory was. */
async function issueCertificate(data: string, host: string): Promise<void> {
  const openssl = (...args: string[]) => promisify(execFile)("openssl", args, { cwd: data });
  await writeFile(join(data, "extensions"), `subjectAltName=DNS:${host}\n`);
  await openssl("req", "-new", "-key", "server-key.pem", "-subj", `/CN=${host}`, "-out", "server.csr");
  const signed =
    "x509 -req -in server.csr -CA ca.pem -CAkey ca-key.pem -set_serial 7 -days 2 -extfile extensions";
  await openssl(...signed.split(" "), "-out", "issued.pem");
  // Into the file that the server has, which keeps its owner.
  await writeFile(join(data, "server-cert.pem"), await readFile(join(data, "issued.pem")));
}
