import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { CommanderError } from "commander";
import { CITIES, type City } from "../crds/city.ts";
import { readSslSettings } from "../db/connection-options.ts";
import { openDatabase } from "../db/pool.ts";
import { systemClock } from "../runtime/clock.ts";
import { EnvironmentReader } from "../runtime/environment.ts";
import { createKubeClient } from "../runtime/kube/client.ts";
import { silentLog } from "../runtime/log.ts";
import { failureText } from "../runtime/shutdown.ts";
import { commandLine, type Order, type Scope } from "./commands.ts";
import { suggestions } from "./complete.ts";
import { fleetViewOf } from "./picture.ts";
import { perform, type Surroundings } from "./run.ts";
import { createScreen } from "../runtime/screen.ts";
import { takePicture, type Session } from "./session.ts";

/** `kubectl city`: see USAGE by --help. Exit code 0: done, 1: refused, failed or in trouble, 2: wrong usage. */

/** What kubectl's completion asks through `kubectl_complete-city`. */
const COMPLETE = "__complete";
const COMPLETE_LIMIT_MS = 3_000;

const MAINS = {
  explain: { path: "../worker/story/main.ts", args: [] },
  replay: { path: "../worker/records/main.ts", args: ["replay"] },
} as const;

const interrupted = new AbortController();

async function withSession<Result>(
  { namespace, context, kubeconfig }: Partial<Scope>,
  work: (session: Session) => Promise<Result>,
): Promise<Result> {
  const chosen = context === undefined ? {} : { context };
  const kube = createKubeClient({
    kubeconfig:
      kubeconfig === undefined
        ? { kind: "default", ...chosen }
        : { kind: "file", path: kubeconfig, ...chosen },
    userAgent: "kubectl-city",
  });
  try {
    return await work({
      kube,
      namespace: namespace ?? kube.namespace ?? "default",
      clock: systemClock,
      print: (line) => process.stdout.write(`${line}\n`),
      tell: (line) => process.stderr.write(`${line}\n`),
      signal: interrupted.signal,
    });
  } finally {
    await kube.close();
  }
}

function openDatabaseOfEnvironment(): ReturnType<typeof openDatabase> {
  const environment = new EnvironmentReader(process.env);
  const url = environment.secret(
    "DATABASE_URL",
    "the database's URL, such as mysql://user:password@host:3306/dispatch",
  );
  const ssl = readSslSettings(environment);
  environment.finish();
  return openDatabase({ url: url(), ssl, connectionsMax: 1, log: silentLog, clock: systemClock });
}

const runMain: Surroundings["runMain"] = async (main, variables) => {
  const { path, args } = MAINS[main];
  const said = Object.fromEntries(Object.entries(variables).filter(([, value]) => value !== undefined));
  const child = spawn(
    process.execPath,
    ["--disable-warning=ExperimentalWarning", fileURLToPath(new URL(path, import.meta.url)), ...args],
    { stdio: "inherit", env: { ...process.env, ...said } },
  );
  const [code] = (await once(child, "exit")) as [number | null];
  return code ?? 1;
};

async function run(order: Order, scope: Scope): Promise<void> {
  const screen = createScreen(process.stdout);
  try {
    process.exitCode = await withSession(scope, (session) =>
      perform(order, session, {
        openDatabase: openDatabaseOfEnvironment,
        draw: (lines) => screen.draw(lines),
        pageLines: () => screen.lines(),
        runMain,
      }),
    );
  } finally {
    screen.close();
  }
}

/** Never an error: a shell has nowhere to show one. */
async function complete(words: readonly string[]): Promise<void> {
  const program = commandLine(async () => undefined);
  const found = await suggestions(program, words, async (what) => {
    try {
      return await withSession({}, (session) =>
        namesOf(what, { ...session, signal: AbortSignal.timeout(COMPLETE_LIMIT_MS) }),
      );
    } catch {
      return [];
    }
  });
  process.stdout.write(`${found.join("\n")}\n`);
}

async function namesOf(what: string, session: Session): Promise<readonly string[]> {
  switch (what) {
    case "city": {
      const { items } = await session.kube.list<City>(
        CITIES,
        { namespace: session.namespace },
        session.signal,
      );
      return items.map(({ metadata }) => metadata.name);
    }
    case "worker":
      return [...fleetViewOf(await takePicture(session)).workers.keys()];
    case "dispatcher":
      return ["optimal", "greedy"];
    default:
      return [];
  }
}

async function main(args: readonly string[]): Promise<void> {
  if (args[0] === COMPLETE) {
    await complete(args.slice(1));
    return;
  }
  const program = commandLine(run);
  program.exitOverride();
  for (const command of program.commands) {
    for (const one of [command, ...command.commands]) one.exitOverride();
  }
  try {
    await program.parseAsync(args, { from: "user" });
  } catch (error) {
    if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : 2;
    else {
      process.stderr.write(`${failureText(error)}\n`);
      process.exitCode = 1;
    }
  }
}

process.on("SIGINT", () => interrupted.abort(new Error("interrupted")));
process.on("SIGTERM", () => interrupted.abort(new Error("terminated")));
await main(process.argv.slice(2));
