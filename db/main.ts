import { EnvironmentReader } from "../runtime/environment.ts";
import { systemClock } from "../runtime/clock.ts";
import { createLog } from "../runtime/log.ts";
import { failureText, shutdownSignals } from "../runtime/shutdown.ts";
import { ACCOUNT_ROLES, type AccountPasswords } from "./accounts.ts";
import { audit, formatAuditReport } from "./audit.ts";
import { takeAuthority } from "./authority.ts";
import { migrate } from "./migrate.ts";
import { openDatabase, type Database } from "./pool.ts";

/** What a person or a job does with the database: see USAGE. Exit code 0: done, 1: failed or violated, 2: wrong usage. */

const USAGE = `usage: node db/main.ts <command>

  migrate                      bring the database to the schema of this version; safe to repeat
      --without-reference      leave out the reference tables: views and apply_decisions are your own
  audit                        check every invariant on what the database holds; exit code 1 when one is violated
  take-authority <uid>         from now on tokens come from the cluster with this UID
                               (kubectl get namespace kube-system -o jsonpath={.metadata.uid})

environment:
  DATABASE_URL                 mysql://user:password@host:3306/database: an administrator for migrate, any account
                               that may read for audit, the operator account for take-authority
  WORKER_PASSWORD, OPERATOR_PASSWORD, FEED_PASSWORD
                               for migrate: let these accounts log in; without, they are roles to grant
`;

type Command =
  | { readonly kind: "migrate"; readonly reference: boolean }
  | { readonly kind: "audit" }
  | { readonly kind: "take-authority"; readonly clusterUid: string };

function parseCommand(args: readonly string[]): Command | undefined {
  const [name, ...rest] = args;
  if (name === "migrate" && rest.every((option) => option === "--without-reference")) {
    return { kind: "migrate", reference: rest.length === 0 };
  }
  if (name === "audit" && rest.length === 0) return { kind: "audit" };
  const [clusterUid] = rest;
  if (name === "take-authority" && clusterUid !== undefined && rest.length === 1) {
    return { kind: "take-authority", clusterUid };
  }
  return undefined;
}

function readEnvironment(): { readonly url: string; readonly passwords: AccountPasswords } {
  const environment = new EnvironmentReader(process.env);
  const url = environment.text("DATABASE_URL", "the database's URL, such as mysql://root@host:3306/dispatch");
  const passwords = Object.fromEntries(
    ACCOUNT_ROLES.flatMap((role) => {
      const password = environment.optional(`${role.toUpperCase()}_PASSWORD`);
      return password === undefined ? [] : [[role, password]];
    }),
  );
  environment.finish();
  return { url, passwords };
}

async function run(command: Command, signal: AbortSignal): Promise<number> {
  const { url, passwords } = readEnvironment();
  switch (command.kind) {
    case "migrate":
      await migrate({ url, passwords, reference: command.reference, progress: tell }, signal);
      tell("the database is up to date");
      return 0;
    case "audit": {
      const report = await withDatabase(url, (database) => audit(database, signal));
      process.stdout.write(`${formatAuditReport(report)}\n`);
      return report.isClean ? 0 : 1;
    }
    case "take-authority": {
      const { epoch, clusterUid } = await withDatabase(url, (database) =>
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
  url: string,
  work: (database: Database) => Promise<Result>,
): Promise<Result> {
  const database = openDatabase({ url, connectionsMax: 1, log, clock: systemClock });
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
