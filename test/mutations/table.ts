import type { Check, Guard } from "./guard.ts";

/** What became of one guard's removal. */
export type Finding = {
  readonly guard: Guard;
  /** The check that failed; undefined when none did. */
  readonly caughtBy: Check | undefined;
  readonly runs: number;
  readonly seconds: number;
  /** Why nobody caught it. */
  readonly because: string | undefined;
};

/** What was there and what stood in its place, as code on one line of a table. */
function mutationText({ search, replace }: Guard): string {
  const code = (text: string): string => `\`${text.trim().replace(/\s+/g, " ").replaceAll("|", "\\|")}\``;
  return replace.trim() === "" ? `without ${code(search)}` : `${code(search)} → ${code(replace)}`;
}

/** The whole of test/MUTATIONS.md. */
export function renderTable(findings: readonly Finding[]): string {
  const rows = findings.map(({ guard, caughtBy, runs, because }) => {
    const test = caughtBy?.args.find((argument) => argument.startsWith("test/")) ?? "";
    const verdict = caughtBy === undefined ? `**not caught**: ${because}` : `${caughtBy.world}: \`${test}\``;
    const cells = [guard.name, guard.upholds, `\`${guard.file}\``, mutationText(guard), verdict, runs];
    return `| ${cells.join(" | ")} |`;
  });
  return [
    "# Mutations",
    "",
    "Written by `make mutations`; do not edit. Each guard was taken away by itself, in one line, from a copy of the product,",
    "and the checks that are to notice were run until one failed. The product unharmed passes all of them.",
    "",
    "| guard | what it upholds | file | mutation | caught by | runs |",
    "| --- | --- | --- | --- | --- | --- |",
    ...rows,
    "",
  ].join("\n");
}
