import { planFaults, type Fault, type FaultChoice } from "./faults.ts";
import { run } from "./run.ts";
import { shapeOf, type Shape } from "./shape.ts";

/**
 * Makes a failing run smaller for as long as it fails in the same way: kinds of faults are left out, then single faults by
 * halves, then cities, workers and time. Returns what is left, in words.
 */
export async function narrow(
  seed: number,
  choice: FaultChoice,
  tell: (line: string) => void,
): Promise<string> {
  let shape: Shape = shapeOf(seed);
  let faults: readonly Fault[] = planFaults(seed, shape.faultsForMs, choice);
  let runs = 0;
  const fails = async (candidate: {
    readonly shape: Shape;
    readonly faults: readonly Fault[];
  }): Promise<boolean> => {
    runs += 1;
    return runs <= RUNS_MAX && (await run({ seed, ...candidate })).violations.length > 0;
  };
  for (const kind of new Set(faults.map((fault) => fault.kind))) {
    const fewer = faults.filter((fault) => fault.kind !== kind);
    if (await fails({ shape, faults: fewer })) faults = fewer;
  }
  for (let size = Math.ceil(faults.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let from = 0; from < faults.length;) {
      const fewer = [...faults.slice(0, from), ...faults.slice(from + size)];
      if (await fails({ shape, faults: fewer })) faults = fewer;
      else from += size;
    }
  }
  const lastMs = (faults.at(-1)?.atMs ?? 0) + 1_000;
  for (const smaller of [
    { ...shape, faultsForMs: lastMs },
    { ...shape, cities: shape.cities.slice(0, 1), faultsForMs: lastMs },
    { ...shape, cities: shape.cities.slice(0, 1), workers: 2, faultsForMs: lastMs },
    { ...shape, cities: shape.cities.slice(0, 1), workers: 2, operators: 1, faultsForMs: lastMs },
  ]) {
    if (await fails({ shape: smaller, faults })) shape = smaller;
  }
  const { violations } = await run({ seed, shape, faults, tell });
  return [
    `narrowed in ${runs} runs to ${faults.length} faults: ${faults.map(({ kind, atMs }) => `${kind}@${Math.round(atMs / 1_000)}s`).join(" ")}`,
    `${shape.operators} operators, ${shape.workers} workers, ${shape.cities.length} cities`,
    ...violations.map((violation) => `VIOLATION ${violation}`),
  ].join("\n");
}

const RUNS_MAX = 200;
