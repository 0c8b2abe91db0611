import { parseDuration } from "../crds/duration.ts";
import { EnvironmentReader } from "../runtime/environment.ts";
import { systemClock } from "../runtime/clock.ts";
import { createLog } from "../runtime/log.ts";
import { failureText, shutdownSignals } from "../runtime/shutdown.ts";
import { ACCOUNT_ROLES, accountName, passwordsOfUrls, type AccountRole } from "./accounts.ts";
import { audit, formatAuditReport } from "./audit.ts";
import { raisePresentEpoch, takeAuthority } from "./authority.ts";
import { databaseOf, parseDatabaseUrl, readSslSettings, type SslSettings } from "./connection-options.ts";
import { checkContract, formatContractReport } from "./contract/check.ts";
import { migrate } from "./migrate.ts";
import { onceReachable } from "./once-reachable.ts";
import { openDatabase, type Database } from "./pool.ts";

/** What a person or a job does with the database: see USAGE. Exit code 0: done, 1: failed or violated, 2: wrong usage. */

const USAGE = `usage: node db/main.ts <command>

  migrate                      bring the database to the schema of this version; safe to repeat
      --without-reference      leave out the reference tables: views and apply_decisions are your own
      --wait=<duration>        wait this long for a server that does not answer, such as 5m; without, not at all
  check-contract               check your own views and apply_decisions; exit code 1 when something is wrong
  audit                        check every invariant on what the database holds; exit code 1 when one is violated
  take-authority <uid>         from now on tokens come from the cluster with this UID
                               (kubectl get namespace kube-system -o jsonpath={.metadata.uid})
  raise-epoch                  no token handed out so far claims any more; before etcd is restored from a backup

environment:
  DATABASE_URL                 mysql://user:password@host:3306/database: an administrator for migrate, any account
                               that may read for audit, the operator account for take-authority and raise-epoch
  DATABASE_SSL_MODE            DISABLED, REQUIRED, VERIFY_CA or VERIFY_IDENTITY; the URL may say it as well: ?ssl-mode=
  DATABASE_SSL_CA              a file with the certificates of the authorities to trust, in PEM
  WORKER_URL, OPERATOR_URL, FEED_URL
                               for migrate: what the processes log in with. The accounts <database>_worker, _operator and
                               _feed get the passwords of these URLs; without, they are roles to grant
  WORKER_PASSWORD, OPERATOR_PASSWORD, FEED_PASSWORD
                               the same, for passwords alone
Each URL can also be read from a file: DATABASE_URL_FILE, WORKER_URL_FILE, …
`;

type Command =
  | { readonly kind: "migrate"; readonly reference: boolean; readonly waitMs: number }
  | { readonly kind: "audit" }
  | { readonly kind: "check-contract" }
  | { readonly kind: "raise-epoch" }
  | { readonly kind: "take-authority"; readonly clusterUid: string };

function parseCommand(args: readonly string[]): Command | undefined {
  const [name, ...rest] = args;
  if (name === "migrate") return parseMigrate(rest);
  if ((name === "audit" || name === "check-contract") && rest.length === 0) return { kind: name };
  if (name === "raise-epoch" && rest.length === 0) return { kind: "raise-epoch" };
  const [clusterUid] = rest;
  if (name === "take-authority" && clusterUid !== undefined && rest.length === 1) {
    return { kind: "take-authority", clusterUid };
  }
  return undefined;
}

function parseMigrate(options: readonly string[]): Command | undefined {
  let reference = true;
  let waitMs = 0;
  for (const option of options) {
    const [, duration] = /^--wait=(\d+(?:ms|s|m|h))$/.exec(option) ?? [];
    if (option === "--without-reference") reference = false;
    else if (duration !== undefined) waitMs = parseDuration(duration);
    else return undefined;
  }
  return { kind: "migrate", reference, waitMs };
}

type Settings = {
  readonly url: string;
  readonly ssl: SslSettings;
  readonly urls: Partial<Readonly<Record<AccountRole, string>>>;
  readonly passwords: Partial<Readonly<Record<AccountRole, string>>>;
};

function readEnvironment(): Settings {
  const environment = new EnvironmentReader(process.env);
  const url = environment.secret(
    "DATABASE_URL",
    "the database's URL, such as mysql://root@host:3306/dispatch",
  );
  const perRole = (read: (role: string) => string | undefined) =>
    Object.fromEntries(
      ACCOUNT_ROLES.flatMap((role) => {
        const text = read(role.toUpperCase());
        return text === undefined ? [] : [[role, text]];
      }),
    );
  const settings = {
    ssl: readSslSettings(environment),
    urls: perRole((role) => environment.optionalSecret(`${role}_URL`)?.()),
    passwords: perRole((role) => environment.optional(`${role}_PASSWORD`)),
  };
  environment.finish();
  return { url: url(), ...settings };
}

async function migrateDatabase(
  settings: Settings,
  options: { readonly reference: boolean; readonly waitMs: number },
  signal: AbortSignal,
): Promise<void> {
  const { url, ssl } = settings;
  const database = databaseOf(parseDatabaseUrl(url));
  const { passwords, strangers } = passwordsOfUrls(database, settings.urls);
  await onceReachable(
    { clock: systemClock, limitMs: options.waitMs, progress: tell },
    () =>
      migrate(
        {
          url,
          ssl,
          passwords: { ...passwords, ...settings.passwords },
          reference: options.reference,
          progress: tell,
        },
        signal,
      ),
    signal,
  );
  for (const { role, user } of strangers) {
    const name = accountName(database, role);
    tell(
      `${role.toUpperCase()}_URL is not that of ${name} on ${database}: make sure that ${user} has its rights`,
    );
  }
}

async function run(command: Command, signal: AbortSignal): Promise<number> {
  const settings = readEnvironment();
  switch (command.kind) {
    case "migrate":
      await migrateDatabase(settings, command, signal);
      tell("the database is up to date");
      return 0;
    case "audit": {
      const report = await withDatabase(settings, (database) => audit(database, signal));
      process.stdout.write(`${formatAuditReport(report)}\n`);
      return report.isClean ? 0 : 1;
    }
    case "raise-epoch": {
      const raised = await withDatabase(settings, (database) => raisePresentEpoch(database, signal));
      tell(
        raised === undefined
          ? "no cluster has dispatched for this database yet: there is no epoch to raise"
          : `tokens come from cluster ${raised.clusterUid}, epoch ${raised.epoch}`,
      );
      return raised === undefined ? 1 : 0;
    }
    case "check-contract": {
      const report = await checkContract(settings, signal);
      process.stdout.write(`${formatContractReport(report)}\n`);
      return report.mistakes.length === 0 ? 0 : 1;
    }
    case "take-authority": {
      const { epoch, clusterUid } = await withDatabase(settings, (database) =>
        takeAuthority(database, command.clusterUid, signal),
      );
      tell(`tokens come from cluster ${clusterUid}, epoch ${epoch}`);
      return 0;
    }
    default:
      return command satisfies never;
  }
}

async function withDatabase<Result>(
  { url, ssl }: Settings,
  work: (database: Database) => Promise<Result>,
): Promise<Result> {
  const database = openDatabase({ url, ssl, connectionsMax: 1, log, clock: systemClock });
  try {
    return await work(database);
  } finally {
    await database.close();
  }
}

function tell(line: string): void {
  process.stderr.write(`${line}\n`);
}

const log = createLog({ process: "db", level: "warn" });
const command = parseCommand(process.argv.slice(2));
if (command === undefined) {
  tell(USAGE);
  process.exitCode = 2;
} else {
  try {
    process.exitCode = await run(command, shutdownSignals(process, log).draining);
  } catch (error) {
    tell(failureText(error));
    process.exitCode = 1;
  }
}
