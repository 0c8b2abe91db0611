import { readFileSync } from "node:fs";
import { isIP } from "node:net";
import type { ConnectionOptions } from "mysql2/promise";
import type { EnvironmentReader } from "../runtime/environment.ts";
import { OperationalError } from "../runtime/errors.ts";

/** From how a person writes down where MySQL is, and how the way there is protected, to what the driver wants. */

/**
 * In the words of MySQL's own clients. REQUIRED: encrypted, with whoever answers. VERIFY_CA: and its certificate is signed by
 * an authority that we trust. VERIFY_IDENTITY: and made out to the host of the URL.
 */
export const SSL_MODES = ["DISABLED", "REQUIRED", "VERIFY_CA", "VERIFY_IDENTITY"] as const;

export type SslMode = (typeof SSL_MODES)[number];

/** What holds for every URL of a process, whatever the URL says. */
export type SslSettings = {
  readonly mode?: SslMode | undefined;
  /** Path of the trusted authorities' certificates in PEM. Given alone, it means VERIFY_IDENTITY. */
  readonly caFile?: string | undefined;
};

const MODE_PARAMETER = "ssl-mode";
const CA_PARAMETER = "ssl-ca";

/** DATABASE_SSL_MODE and DATABASE_SSL_CA. */
export function readSslSettings(environment: EnvironmentReader): SslSettings {
  return {
    mode: environment.parsed("DATABASE_SSL_MODE", undefined, parseMode),
    caFile: environment.optional("DATABASE_SSL_CA"),
  };
}

/**
 * `url`: mysql://user:password@host:port/database, with `?ssl-mode=` and `?ssl-ca=` as MySQL's own clients take them, and
 * other parameters as mysql2 does. Authorities: those of the file, else those that Node.js trusts. Errors: `database-url`, for
 * a URL or a file that cannot be used.
 */
export function connectionOptions(url: string, settings: SslSettings = {}): ConnectionOptions {
  const parsed = parseDatabaseUrl(url);
  const given = parsed.searchParams.get(MODE_PARAMETER);
  const caFile = settings.caFile ?? parsed.searchParams.get(CA_PARAMETER) ?? undefined;
  const mode = settings.mode ?? (given === null ? undefined : modeOfUrl(given)) ?? impliedMode(caFile);
  parsed.searchParams.delete(MODE_PARAMETER);
  parsed.searchParams.delete(CA_PARAMETER);
  const options: ConnectionOptions = { uri: parsed.href };
  if (mode === undefined || mode === "DISABLED") return options;
  if (mode === "REQUIRED") return { ...options, ssl: { rejectUnauthorized: false } };
  // The driver would compare the certificate with "localhost".
  if (mode === "VERIFY_IDENTITY" && isAddress(parsed)) {
    throw unusable(
      `VERIFY_IDENTITY compares names and ${parsed.hostname} is an address: write the host's name as its certificate has it, or VERIFY_CA`,
    );
  }
  return {
    ...options,
    ssl: {
      ...(caFile === undefined ? {} : { ca: readAuthorities(caFile) }),
      rejectUnauthorized: true,
      verifyIdentity: mode === "VERIFY_IDENTITY",
    },
  };
}

/** Errors: `database-url`. */
export function parseDatabaseUrl(url: string): URL {
  if (URL.canParse(url)) return new URL(url);
  throw unusable("it is no URL: write mysql://user:password@host:3306/database");
}

/** The name of the database that a URL leads to; empty for a URL without one. */
export function databaseOf(url: URL): string {
  return decodeURIComponent(url.pathname.slice(1));
}

function isAddress({ hostname }: URL): boolean {
  return isIP(hostname.replace(/^\[(.*)\]$/, "$1")) !== 0;
}

function impliedMode(caFile: string | undefined): SslMode | undefined {
  return caFile === undefined ? undefined : "VERIFY_IDENTITY";
}

function parseMode(text: string): SslMode {
  const mode = SSL_MODES.find((candidate) => candidate === text.toUpperCase());
  if (mode !== undefined) return mode;
  throw new RangeError(`${JSON.stringify(text)} is none of ${SSL_MODES.join(", ")}`);
}

function modeOfUrl(text: string): SslMode {
  try {
    return parseMode(text);
  } catch (error) {
    throw unusable(`${MODE_PARAMETER} ${(error as RangeError).message}`);
  }
}

/** Read anew for every connection pool, so that authorities can change while a process runs. */
function readAuthorities(caFile: string): string {
  try {
    return readFileSync(caFile, "utf8");
  } catch (error) {
    throw unusable(`the certificates in ${caFile} cannot be read: ${(error as Error).message}`);
  }
}

/** The URL itself holds a password, so no message repeats it. */
function unusable(because: string): OperationalError {
  return new OperationalError({
    code: "database-url",
    remedy: "give-up",
    message: `the database's URL cannot be used: ${because}`,
  });
}
