import { expect, test } from "@jest/globals";
import { readFileSync } from "node:fs";
import { parseDockerfile } from "../../../local/cluster/image/dockerfile.ts";
import { importsOf, sources } from "../repository/sources.ts";

const OURS = parseDockerfile(readFileSync("Dockerfile", "utf8"));
const [build, final] = OURS.stages;

test("our Dockerfile has a stage that installs and one that runs, on bases that arguments may replace", () => {
  expect(OURS.stages.map(({ name }) => name)).toEqual(["build", undefined]);
  const other = parseDockerfile(readFileSync("Dockerfile", "utf8"), { BASE_IMAGE: "other:1" });
  expect(other.stages.map(({ base }) => base)).toEqual([build?.base, "other:1"]);
});

test("its processes run under a user that is no root and has a number", () => {
  expect(final?.instructions).toContainEqual({ kind: "user", user: "65532:65532" });
});

test("the last stage runs nothing, so its base needs no shell", () => {
  expect(final?.instructions.filter(({ kind }) => kind === "run")).toEqual([]);
});

test("packages come from the lock file, without those of development, and without running their scripts", () => {
  const runs = build?.instructions.flatMap((item) => (item.kind === "run" ? [item.command] : [])) ?? [];
  expect(runs).toHaveLength(1);
  expect(runs[0]).toMatch(/^npm ci --omit=dev --ignore-scripts /);
});

test("every source that a process of the image imports is copied, and nothing of the chart's or the tests'", () => {
  const copied = (build?.instructions ?? []).flatMap((item) => (item.kind === "copy" ? item.sources : []));
  const typescript = sources(/\.ts$/);
  const needed = new Set<string>();
  const visit = (path: string): void => {
    if (needed.has(path)) return;
    needed.add(path);
    const source = typescript.find((candidate) => candidate.path === path);
    if (source !== undefined) for (const target of importsOf(source)) visit(target);
  };
  visit("image/main.ts");
  expect(needed.size).toBeGreaterThan(50);
  const isCopied = (path: string): boolean =>
    copied.some((source) => path === source || path.startsWith(`${source}/`));
  expect([...needed].filter((path) => !isCopied(path))).toEqual([]);
  expect(copied.filter((source) => /^(helm|test|docs)/.test(source))).toEqual([]);
});

test("what the build context leaves out is no part of the image", () => {
  const ignored = readFileSync(".dockerignore", "utf8")
    .split("\n")
    .filter((line) => line !== "");
  const copied = (build?.instructions ?? []).flatMap((item) => (item.kind === "copy" ? item.sources : []));
  expect(ignored).toEqual(["*", ...copied.map((source) => `!${source}`)]);
});

test.each([
  ["an instruction that we do not follow", "FROM a\nHEALTHCHECK NONE"],
  ["a line that goes on", "FROM a\nRUN one \\\n  two"],
  ["an option that we do not follow", "FROM a\nCOPY --chown=1 b c"],
  ["an entrypoint that needs a shell", "FROM a\nENTRYPOINT node main.ts"],
  ["an argument without a default", "FROM ${A}"],
  ["something before the first stage", "USER 1"],
])("%s is refused", (_, text) => {
  expect(() => parseDockerfile(text)).toThrow(SyntaxError);
});
