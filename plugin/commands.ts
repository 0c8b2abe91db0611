import { Argument, Command, InvalidArgumentError, Option } from "commander";
import { formatDuration, parseDuration } from "../crds/duration.ts";

/** The command line: what can be said, and what it means. What is done stands elsewhere. */

export type Scope = {
  readonly namespace: string | undefined;
  readonly context: string | undefined;
  readonly kubeconfig: string | undefined;
};

/** What a person asked for. Durations in milliseconds. */
export type Order =
  | { readonly kind: "top"; readonly once: boolean }
  | { readonly kind: "why"; readonly city: string }
  | {
      readonly kind: "plan";
      readonly without: readonly string[];
      readonly drained: readonly string[];
      readonly joined: number;
      readonly pool: string;
    }
  | { readonly kind: "suspend" | "resume"; readonly city: string; readonly waitMs: number }
  | {
      readonly kind: "pin";
      readonly city: string;
      /** Undefined: the pin ends. */
      readonly to: { readonly worker: string; readonly forMs: number } | undefined;
      readonly words: string;
      readonly waitMs: number;
    }
  | {
      readonly kind: "dispatcher";
      readonly city: string;
      /** Undefined: the override ends. */
      readonly override: { readonly dispatcher: string; readonly forMs: number } | undefined;
      readonly words: string;
      readonly waitMs: number;
    }
  | {
      readonly kind: "drain";
      readonly worker: string;
      readonly ends: boolean;
      readonly words: string;
      readonly waitMs: number;
    }
  | { readonly kind: "authority-show" }
  | { readonly kind: "authority-take"; readonly isMeant: boolean }
  | { readonly kind: "audit" }
  | { readonly kind: "explain"; readonly order: string; readonly city: string | undefined }
  | {
      readonly kind: "replay";
      readonly file: string;
      readonly dispatcher: string | undefined;
      readonly parameters: string | undefined;
      readonly dispatchers: string | undefined;
    };

const FOR_MAX_MS = 7 * 24 * 3_600_000;
/** Long enough for the operator to see the pin, and short enough not to stay in anybody's way. */
const MOVE_PIN = "2m";

function duration(text: string): number {
  try {
    return parseDuration(text);
  } catch (error) {
    throw new InvalidArgumentError(error instanceof Error ? error.message : String(error));
  }
}

function mitigationDuration(text: string): number {
  const forMs = duration(text);
  if (forMs >= 1_000 && forMs <= FOR_MAX_MS) return forMs;
  throw new InvalidArgumentError(`write a duration from 1s to ${formatDuration(FOR_MAX_MS)}, such as 30m.`);
}

function count(text: string): number {
  const value = Number(text);
  if (/^[0-9]+$/.test(text) && value >= 1 && value <= 1_000) return value;
  throw new InvalidArgumentError("write a number from 1 to 1000.");
}

const gathered = (text: string, before: readonly string[]): readonly string[] => [...before, text];
const cityArgument = (): Argument => new Argument("<city>", "the City's name");
const waitOption = (): Option =>
  new Option("--wait <duration>", "how long to wait for the operator; 0s: not at all")
    .argParser(duration)
    .default(30_000, "30s");
const forOption = (byDefault?: string): Option => {
  const option = new Option("--for <duration>", "after this long it ends by itself").argParser(
    mitigationDuration,
  );
  return byDefault === undefined ? option : option.default(parseDuration(byDefault), byDefault);
};
const endOption = (what: string): Option => new Option("--end", what);

/** `run` is called with what was understood; whatever was not ends in commander's own words. */
export function commandLine(run: (order: Order, scope: Scope) => Promise<void>): Command {
  const program = new Command("kubectl city")
    .description(
      "See, understand and mitigate the dispatch of cities, on the cluster of the current kubeconfig.",
    )
    .option("-n, --namespace <namespace>", "where the Cities are; default: the context's")
    .option("--context <context>", "which context of the kubeconfig")
    .option("--kubeconfig <file>", "which kubeconfig")
    .showSuggestionAfterError()
    .configureHelp({ showGlobalOptions: true });
  const order =
    (build: (command: Command) => Order) =>
    async (...parts: unknown[]): Promise<void> => {
      const command = parts.at(-1) as Command;
      const { namespace, context, kubeconfig } = command.optsWithGlobals<Partial<Scope>>();
      await run(build(command), { namespace, context, kubeconfig });
    };
  addViews(program, order);
  addActions(program, order);
  addDatabaseCommands(program, order);
  return program;
}

type OrderOf = (build: (command: Command) => Order) => (...parts: unknown[]) => Promise<void>;

function addViews(program: Command, order: OrderOf): void {
  program
    .command("top")
    .description("the fleet, what is wrong first; again every two seconds")
    .option("--once", "only once")
    .action(order((command) => ({ kind: "top", once: command.opts<{ once?: true }>().once === true })));
  program
    .command("why")
    .description("who holds a city, why there, what would move it, what happened last")
    .addArgument(cityArgument())
    .action(order(({ args: [city = ""] }) => ({ kind: "why", city })));
  program
    .command("plan")
    .description("what the operator would do, as it would decide it itself")
    .option("--without <worker>", "if this worker died; may be said again", gathered, [])
    .option("--drained <worker>", "if this worker were drained; may be said again", gathered, [])
    .option("--join <count>", "if so many workers joined", count)
    .option("--pool <pool>", "the pool that they join", "default")
    .action(
      order((command) => {
        const options = command.opts<{ without: string[]; drained: string[]; join?: number; pool: string }>();
        const { without, drained, join = 0, pool } = options;
        return { kind: "plan", without, drained, joined: join, pool };
      }),
    );
}

type ActionOptions = {
  readonly wait: number;
  readonly to?: string;
  readonly for?: number;
  readonly end?: true;
};

function addActions(program: Command, order: OrderOf): void {
  for (const [kind, what] of [
    ["suspend", "nobody holds the city and nothing more is committed for it"],
    ["resume", "a suspended city is dispatched again"],
  ] as const) {
    program
      .command(kind)
      .description(what)
      .addArgument(cityArgument())
      .addOption(waitOption())
      .action(
        order((command) => ({
          kind,
          city: command.args[0] ?? "",
          waitMs: command.opts<ActionOptions>().wait,
        })),
      );
  }
  for (const [name, what, byDefault] of [
    ["move", "a city goes to a worker, and stays there while there is no reason to move it", MOVE_PIN],
    ["pin", "a city goes to a worker and is kept there for a while", undefined],
  ] as const) {
    const command = program
      .command(name)
      .description(what)
      .addArgument(cityArgument())
      .option("--to <worker>", "the worker: its id, its Pod, or the end of its id")
      .addOption(forOption(byDefault))
      .addOption(waitOption());
    if (name === "pin") command.addOption(endOption("the city is not pinned any more"));
    command.action(order((parsed) => pinOrder(parsed, name)));
  }
  program
    .command("dispatcher")
    .description("another dispatcher decides for a city, for a while")
    .addArgument(cityArgument())
    .argument("[dispatcher]", "optimal, greedy, or a module of your own")
    .addOption(forOption())
    .addOption(endOption("the City's own dispatcher decides again"))
    .addOption(waitOption())
    .action(order(dispatcherOrder));
  program
    .command("drain")
    .description("a worker hands its cities over and is given none")
    .argument("<worker>", "its id, its Pod, or the end of its id")
    .addOption(endOption("it may be given cities again"))
    .addOption(waitOption())
    .action(
      order((command) => {
        const [worker = ""] = command.args;
        const { wait, end } = command.opts<ActionOptions>();
        const words = `drain ${worker}${end === true ? " --end" : ""}`;
        return { kind: "drain", worker, ends: end === true, words, waitMs: wait };
      }),
    );
}

function pinOrder(command: Command, name: "move" | "pin"): Order {
  const [city = ""] = command.args;
  const { to, for: forMs, end, wait: waitMs } = command.opts<ActionOptions>();
  if (end === true) {
    if (to !== undefined || forMs !== undefined)
      command.error("error: --end ends a pin: leave out --to and --for");
    return { kind: "pin", city, to: undefined, words: `${name} ${city} --end`, waitMs };
  }
  if (to === undefined) return command.error("error: say where: --to <worker>");
  if (forMs === undefined) return command.error("error: say until when: --for <duration>, such as --for 30m");
  const words = `${name} ${city} --to ${to} --for ${formatDuration(forMs)}`;
  return { kind: "pin", city, to: { worker: to, forMs }, words, waitMs };
}

function dispatcherOrder(command: Command): Order {
  const [city = "", dispatcher] = command.args;
  const { for: forMs, end, wait: waitMs } = command.opts<ActionOptions>();
  if (end === true) {
    if (dispatcher !== undefined || forMs !== undefined)
      command.error("error: --end ends an override: say only the city");
    return { kind: "dispatcher", city, override: undefined, words: `dispatcher ${city} --end`, waitMs };
  }
  if (dispatcher === undefined) return command.error("error: say which dispatcher, such as greedy, or --end");
  if (forMs === undefined) return command.error("error: say until when: --for <duration>, such as --for 30m");
  const words = `dispatcher ${city} ${dispatcher} --for ${formatDuration(forMs)}`;
  return { kind: "dispatcher", city, override: { dispatcher, forMs }, words, waitMs };
}

function addDatabaseCommands(program: Command, order: OrderOf): void {
  const authority = program
    .command("authority")
    .description("which cluster may hand out tokens for the database of DATABASE_URL");
  authority
    .command("show")
    .description("whose it is")
    .action(order(() => ({ kind: "authority-show" })));
  authority
    .command("take")
    .description("from now on tokens come from this cluster")
    .option("--yes", "that is meant")
    .action(
      order((command) => ({ kind: "authority-take", isMeant: command.opts<{ yes?: true }>().yes === true })),
    );
  program
    .command("audit")
    .description("check every invariant on the database of DATABASE_URL")
    .action(order(() => ({ kind: "audit" })));
  program
    .command("explain")
    .description("an order's whole story, from the database of DATABASE_URL")
    .argument("<order>", "the order's id")
    .option("--city <city>", "its city, where several have such an order")
    .action(
      order((command) => ({
        kind: "explain",
        order: command.args[0] ?? "",
        city: command.opts<{ city?: string }>().city,
      })),
    );
  program
    .command("replay")
    .description("decide a recorded tick again and print what differs")
    .argument("<file>", "what `make record` wrote")
    .option("--dispatcher <dispatcher>", "another dispatcher")
    .option("--parameters <file>", "a JSON file of parameters to change")
    .option("--dispatchers <folder>", "the folder of your own dispatchers")
    .action(
      order((command) => {
        const options = command.opts<{ dispatcher?: string; parameters?: string; dispatchers?: string }>();
        const { dispatcher, parameters, dispatchers } = options;
        return { kind: "replay", file: command.args[0] ?? "", dispatcher, parameters, dispatchers };
      }),
    );
}
