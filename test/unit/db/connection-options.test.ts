import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { passwordsOfUrls } from "../../../db/accounts.ts";
import { connectionOptions, readSslSettings } from "../../../db/connection-options.ts";
import { EnvironmentReader } from "../../../runtime/environment.ts";

let directory: string;
let caFile: string;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "city-operator-ssl-"));
  caFile = join(directory, "ca.crt");
  writeFileSync(caFile, "certificates");
});
afterAll(() => {
  rmSync(directory, { recursive: true });
});

const URL_OF_WORKER = "mysql://dispatch_worker:secret@db:3306/dispatch";

describe("the way to the database", () => {
  test("is what the driver makes of a plain URL", () => {
    expect(connectionOptions(URL_OF_WORKER)).toEqual({ uri: URL_OF_WORKER });
    expect(connectionOptions(`${URL_OF_WORKER}?ssl-mode=DISABLED`)).toEqual({ uri: URL_OF_WORKER });
  });

  test("is encrypted as its URL says, in the words of MySQL's own clients", () => {
    const sslOf = (parameters: string) => connectionOptions(`${URL_OF_WORKER}?${parameters}`).ssl;
    expect(sslOf("ssl-mode=required")).toEqual({ rejectUnauthorized: false });
    expect(sslOf(`ssl-mode=VERIFY_CA&ssl-ca=${caFile}`)).toEqual({
      ca: "certificates",
      rejectUnauthorized: true,
      verifyIdentity: false,
    });
    // Signed by an authority that Node.js trusts.
    expect(sslOf("ssl-mode=VERIFY_IDENTITY")).toEqual({ rejectUnauthorized: true, verifyIdentity: true });
  });

  test("keeps to what holds for the whole process, whatever the URL says", () => {
    const environment = new EnvironmentReader({ DATABASE_SSL_MODE: "VERIFY_CA", DATABASE_SSL_CA: caFile });
    const options = connectionOptions(`${URL_OF_WORKER}?ssl-mode=DISABLED`, readSslSettings(environment));
    expect(options).toMatchObject({
      uri: URL_OF_WORKER,
      ssl: { ca: "certificates", rejectUnauthorized: true },
    });
  });

  test("with authorities and no mode goes to nobody but the host of the URL", () => {
    expect(connectionOptions(`${URL_OF_WORKER}?ssl-ca=${caFile}`).ssl).toMatchObject({
      verifyIdentity: true,
    });
  });

  test("keeps the driver's own parameters", () => {
    expect(connectionOptions(`${URL_OF_WORKER}?charset=utf8mb4&ssl-mode=REQUIRED`).uri).toBe(
      `${URL_OF_WORKER}?charset=utf8mb4`,
    );
  });

  test.each([
    ["dispatch at db", "write mysql://user:password@host:3306/database"],
    [
      `${URL_OF_WORKER}?ssl-mode=STRICT`,
      'ssl-mode "STRICT" is none of DISABLED, REQUIRED, VERIFY_CA, VERIFY_IDENTITY',
    ],
    [
      "mysql://w:secret@10.0.0.7/dispatch?ssl-mode=VERIFY_IDENTITY",
      "10.0.0.7 is an address: write the host's name",
    ],
    ["mysql://w:secret@[fd00::7]/dispatch?ssl-mode=VERIFY_IDENTITY", "is an address"],
    [`${URL_OF_WORKER}?ssl-ca=/nowhere/ca.crt`, "the certificates in /nowhere/ca.crt cannot be read"],
  ])("refuses %p, says what to write, and does not repeat the password", (url, sentence) => {
    const refusal = expect(() => connectionOptions(url));
    refusal.toThrow(
      expect.objectContaining({ code: "database-url", message: expect.stringContaining(sentence) }),
    );
    refusal.toThrow(expect.objectContaining({ message: expect.not.stringContaining("secret") }));
  });

  test("with a mode that does not exist is a mistake of the environment", () => {
    const environment = new EnvironmentReader({ DATABASE_SSL_MODE: "STRICT" });
    readSslSettings(environment);
    expect(() => environment.finish()).toThrow('DATABASE_SSL_MODE: "STRICT" is none of DISABLED, REQUIRED');
  });
});

test("a migration gives the product's own accounts the passwords that their URLs have, and names the other users", () => {
  const urls = {
    worker: "mysql://dispatch_worker:p%40ss@db/dispatch",
    operator: "mysql://platform:own@db/dispatch",
  };
  expect(passwordsOfUrls("dispatch", urls)).toEqual({
    passwords: { worker: "p@ss" },
    strangers: [{ role: "operator", user: "platform" }],
  });
});
