/** One guard of the product, the smallest change that takes it away, and who is to notice. */
export type Guard = {
  readonly name: string;
  readonly upholds: string;
  readonly file: string;
  /** Must occur exactly once in the file. */
  readonly search: string;
  readonly replace: string;
  /** Tried in order until one fails: the narrowest first. */
  readonly checks: readonly Check[];
};

export type Check = {
  readonly world: "unit" | "integration";
  /** What follows the Node of the project on the command line, from the root of the repository. */
  readonly args: readonly string[];
};

const JEST = [
  "--experimental-vm-modules",
  "node_modules/jest/bin/jest.js",
  "--runInBand",
  "--forceExit",
  "--bail",
];

/** `only`: part of the test's name, where others of the file would run on for ever without the guard. */
export function unit(file: string, only?: string): Check {
  return { world: "unit", args: [...JEST, `test/unit/${file}.test.ts`, ...named(only)] };
}

export function integration(file: string, only?: string): Check {
  return { world: "integration", args: [...JEST, `test/integration/${file}.test.ts`, ...named(only)] };
}

function named(only: string | undefined): readonly string[] {
  return only === undefined ? [] : ["-t", only];
}
