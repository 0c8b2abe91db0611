import { expect, test } from "@jest/globals";
import { contradictions, readJournal } from "../../chaos/journal.ts";

const line = (msg: string, commitId: string | undefined): string =>
  JSON.stringify({ level: "debug", city: "oslo", tick: "7", commitId, msg });

test("a log's outcomes are read, and whatever else it says is not", () => {
  const journal = readJournal([
    [line("tick committed", "a"), line("city claimed", undefined), "not JSON"].join("\n"),
    [line("tick fenced", "b"), line("tick outpaced", "c"), line("commit outcome stayed unknown", "d")].join(
      "\n",
    ),
  ]);
  expect([...journal.acknowledged.keys()]).toEqual(["a"]);
  expect([...journal.refused.keys()]).toEqual(["b", "c"]);
  expect({ fenced: journal.fenced, unknown: journal.unknown }).toEqual({ fenced: 1, unknown: 1 });
});

test("a line that was cut off says nothing", () => {
  const cut = line("tick committed", "a").slice(0, -3);
  expect(readJournal([cut]).acknowledged.size).toBe(0);
});

test("an outcome without a commit id cannot be checked, so it is an error", () => {
  expect(() => readJournal([line("tick committed", undefined)])).toThrow("no commit id");
});

test("an acknowledged commit that is missing and a refused one that is present are contradictions", () => {
  const journal = readJournal([
    [
      line("tick committed", "there"),
      line("tick committed", "lost"),
      line("tick fenced", "refused"),
      line("tick outpaced", "impossible"),
      line("commit outcome stayed unknown", "either"),
    ].join("\n"),
  ]);
  const { lost, impossible } = contradictions(journal, new Set(["there", "impossible", "either"]));
  expect(lost).toEqual([expect.stringContaining("lost is not in the ledger")]);
  expect(impossible).toEqual([expect.stringContaining("impossible is in the ledger")]);
});
