import { expect, test } from "@jest/globals";
import { existsSync, readFileSync } from "node:fs";
import { GUARDS } from "../../mutations/guards.ts";

test("every guard stands in its file, once, so that it can be taken away", () => {
  const lost = GUARDS.filter(({ file, search }) => readFileSync(file, "utf8").split(search).length !== 2);
  expect(lost.map(({ name, file }) => `${name} in ${file}`)).toEqual([]);
});

test("guards have names of their own", () => {
  expect(new Set(GUARDS.map(({ name }) => name)).size).toBe(GUARDS.length);
});

test("whoever is to notice a guard's removal is there", () => {
  const paths = GUARDS.flatMap(({ checks }) => checks.flatMap(({ args }) => args)).filter((path) =>
    path.startsWith("test/"),
  );
  expect([...new Set(paths)].filter((path) => !existsSync(path))).toEqual([]);
});
