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
  readonly world: "unit" | "integration" | "model" | "simulation" | "perturbation";
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

export function unit(file: string): Check {
  return { world: "unit", args: [...JEST, `test/unit/${file}.test.ts`] };
}

export function integration(file: string, only?: string): Check {
  const names = only === undefined ? [] : ["-t", only];
  return { world: "integration", args: [...JEST, `test/integration/${file}.test.ts`, ...names] };
}

export function simulation(seeds: number): Check {
  return {
    world: "simulation",
    args: ["test/simulation/main.ts", "--seeds", String(seeds), "--first", "1", "--jobs", "1"],
  };
}
