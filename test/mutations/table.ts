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

/** The whole of test/MUTATIONS.md. */
export function renderTable(findings: readonly Finding[]): string {
  const rows = findings.map(({ guard, caughtBy, runs, because }) => {
    const test = caughtBy?.args.find((argument) => argument.startsWith("test/")) ?? "";
    const verdict = caughtBy === undefined ? `**not caught**: ${because}` : `${caughtBy.world}: \`${test}\``;
    return `| ${guard.name} | ${guard.upholds} | \`${guard.file}\` | ${verdict} | ${runs} |`;
  });
  return [
    "# Mutations",
    "",
    "Written by `make mutations`; do not edit. Each guard was taken away by itself, in one line, from a copy of the product,",
    "and the checks that are to notice were run until one failed. The product unharmed passes all of them.",
    "",
    "| guard | what it upholds | file | caught by | runs |",
    "| --- | --- | --- | --- | --- |",
    ...rows,
    "",
  ].join("\n");
}
