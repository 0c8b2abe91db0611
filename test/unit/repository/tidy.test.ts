import { expect, test } from "@jest/globals";
import { importsOf, sources } from "./sources.ts";

/** How the code reads, as far as a test can tell. */

const FILE_LINES_MAX = 300;
const FUNCTION_LINES_MAX = 80;

const typescript = sources(/\.ts$/);
const production = typescript.filter(({ path }) => !/^(test|helm\/pulumi\/test)\//.test(path));
const thisFile = "test/unit/repository/tidy.test.ts";

/** A word, and what to write instead. */
const BANNED_WORDS: readonly (readonly [RegExp, string])[] = [
  [/\b(TODO|FIXME|XXX|HACK)\b/, "file an issue, or do it now"],
  [/\b(shard|mutex)\b/i, "the words of the design: City, fence"],
  [/@ts-(ignore|nocheck|expect-error)/, "a type that tells the truth"],
  [/oxlint-disable|eslint-disable/, "code that the rule has nothing against"],
  [/\b(test|describe|it)\.(only|skip|todo)\b/, "a test that runs"],
];

const BANNED_NAMES = /(^|\/)(utils?|helpers?|common|lib|manager|types|interfaces|index|misc)(\/|\.ts$)/;

test("no banned word is used", () => {
  const offences = typescript
    .filter(({ path }) => path !== thisFile)
    .flatMap(({ path, text }) =>
      text
        .split("\n")
        .flatMap((line, index) =>
          BANNED_WORDS.filter(([word]) => word.test(line)).map(
            ([word, instead]) => `${path}:${index + 1} ${String(word)}: write ${instead}`,
          ),
        ),
    );
  expect(offences).toEqual([]);
});

test("no file or folder has a name that says nothing", () => {
  expect(typescript.map(({ path }) => path).filter((path) => BANNED_NAMES.test(path))).toEqual([]);
});

test(`no source has more than ${FILE_LINES_MAX} lines`, () => {
  const offences = sources(/\.(ts|sql)$/)
    .map(({ path, text }) => ({ path, lines: text.split("\n").length - 1 }))
    .filter(({ lines }) => lines > FILE_LINES_MAX)
    .map(({ path, lines }) => `${path} has ${lines}`);
  expect(offences).toEqual([]);
});

test(`no function has more than ${FUNCTION_LINES_MAX} lines`, () => {
  const offences = production.flatMap(({ path, text }) =>
    longFunctions(text).map(({ name, lines }) => `${path}: ${name} has ${lines}`),
  );
  expect(offences).toEqual([]);
});

test("every file of the product is used by another one, or is a main", () => {
  const imported = new Set(typescript.flatMap(importsOf));
  const entries = /(^|\/)main\.ts$|^local\/(demo|control-plane\/build)\.ts$|thread\.ts$/;
  const unused = production
    .map(({ path }) => path)
    .filter((path) => !imported.has(path) && !entries.test(path));
  expect(unused).toEqual([]);
});

test("every test suite's file is found by the runner", () => {
  const stray = typescript
    .filter(({ text }) => /from "@jest\/globals"/.test(text))
    .map(({ path }) => path)
    .filter(
      (path) =>
        !/^(test\/(unit|integration|perturbation|e2e|browser)|helm\/pulumi\/test)\/.*\.test\.ts$/.test(
          path,
        ) && !path.startsWith("test/support/"),
    );
  expect(stray).toEqual([]);
});

/** Functions by their text: from a declaration at some indentation to the closing brace at the same one. */
function longFunctions(text: string): { readonly name: string; readonly lines: number }[] {
  const found: { name: string; lines: number }[] = [];
  const lines = text.split("\n");
  lines.forEach((line, start) => {
    const opening =
      /^(\s*)(?:export )?(?:async )?(?:function\*? (\w+)|(?:const (\w+) = (?:async )?\(.*=> \{$)|(#?\w+)\(.*\{$)/.exec(
        line,
      );
    if (opening === null) return;
    const [, indentation = "", ...names] = opening;
    const end = lines.findIndex(
      (candidate, index) => index > start && candidate.startsWith(`${indentation}}`),
    );
    const name = names.find((candidate) => candidate !== undefined) ?? "";
    // A factory's length is that of what it returns; its inner functions are counted one by one.
    if (end - start + 1 > FUNCTION_LINES_MAX && !/^(create|open|start)/.test(name)) {
      found.push({ name, lines: end - start + 1 });
    }
  });
  return found;
}
