import type { Command } from "commander";

/**
 * What could come next on the command line, in the answer that kubectl asks of a plugin's `kubectl_complete-city` in every shell that
 * it completes for: a suggestion per line, then how to take them. Pure but for `namesOf`.
 */

/** What an argument or an option names: "city", "worker", "dispatcher"; all else cannot be known. */
export type NamesOf = (what: string) => Promise<readonly string[]>;

/** Cobra's ShellCompDirectiveNoFileComp. */
const NO_FILES = ":4";

export async function suggestions(
  program: Command,
  words: readonly string[],
  namesOf: NamesOf,
): Promise<readonly string[]> {
  const begun = words.at(-1) ?? "";
  const { command, taken, open } = walk(program, words.slice(0, -1));
  const found = await candidates(command, { begun, taken, open }, namesOf);
  return [...found.filter((name) => name.split("\t")[0]?.startsWith(begun)), NO_FILES];
}

/** How far the finished words have come: the command, how many arguments it has, and the option that waits for its value. */
function walk(program: Command, words: readonly string[]) {
  let command = program;
  let taken = 0;
  let open: string | undefined;
  for (const word of words) {
    if (open !== undefined) open = undefined;
    else if (word.startsWith("-")) open = waitingOption(command, word);
    else {
      const sub = command.commands.find((candidate) => candidate.name() === word);
      if (sub === undefined) taken += 1;
      else command = sub;
    }
  }
  return { command, taken, open };
}

function optionsOf(command: Command): Command["options"] {
  return [...command.options, ...(command.parent === null ? [] : optionsOf(command.parent))];
}

/** What the option's value names, if one must follow. */
function waitingOption(command: Command, word: string): string | undefined {
  const option = optionsOf(command).find(({ long, short }) => long === word || short === word);
  if (option === undefined || !option.required) return undefined;
  return /<([^>]+)>/.exec(option.flags)?.[1]?.replace("...", "");
}

async function candidates(
  command: Command,
  {
    begun,
    taken,
    open,
  }: { readonly begun: string; readonly taken: number; readonly open: string | undefined },
  namesOf: NamesOf,
): Promise<readonly string[]> {
  if (open !== undefined) return namesOf(open);
  if (begun.startsWith("-")) {
    return optionsOf(command).map(({ long, description }) => `${long}\t${description}`);
  }
  if (command.commands.length > 0) {
    return command.commands.map((sub) => `${sub.name()}\t${sub.description()}`);
  }
  const argument = command.registeredArguments[taken];
  if (argument === undefined) return [];
  return argument.argChoices ?? namesOf(argument.name());
}
