import { planFaults, schedule, type Fault, type FaultChoice } from "./faults.ts";
import { checkTables } from "./checker.ts";
import { checkCalm, type Calm } from "./liveness.ts";
import { shapeOf, type Shape } from "./shape.ts";
import { World } from "./world.ts";

/** One run: a quiet beginning, faults, calm; then the checks. The same input gives the same run. */

export type RunInput = {
  readonly seed: number;
  /** Default: what the seed says. */
  readonly shape?: Shape;
  readonly choice?: FaultChoice;
  readonly faults?: readonly Fault[];
  readonly tell?: ((line: string) => void) | undefined;
};

export type RunResult = {
  readonly seed: number;
  readonly violations: readonly string[];
  /** How long the clusters ran, in virtual milliseconds. */
  readonly simulatedMs: number;
  readonly fingerprint: string;
  readonly events: number;
  readonly outcomes: ReadonlyMap<string, number>;
  /** From the end of the faults until every city had committed. */
  readonly healedMs: number | undefined;
  readonly kinds: readonly string[];
};

const BEGINNING_MS = 20_000;

export async function run(input: RunInput): Promise<RunResult> {
  const { seed } = input;
  const shape = input.shape ?? shapeOf(seed);
  const world = new World({ seed, shape, tell: input.tell });
  const faults = input.faults ?? planFaults(seed, shape.faultsForMs, input.choice);
  const onRejection = (reason: unknown): void => {
    world.chronicle.violate(`a promise was rejected and nobody looked: ${String((reason as Error).stack)}`);
  };
  process.on("unhandledRejection", onRejection);
  let calm: Calm | undefined;
  try {
    await world.begin();
    await world.time.runUntil(BEGINNING_MS);
    schedule(world, faults);
    await world.time.runUntil(BEGINNING_MS + shape.faultsForMs);
    calm = await checkCalm(world);
    checkTables(world);
  } catch (error) {
    world.chronicle.violate(`the run failed: ${String((error as Error).stack)}`);
  } finally {
    process.off("unhandledRejection", onRejection);
  }
  return {
    seed,
    violations: world.chronicle.violations,
    simulatedMs: world.time.nowMs,
    fingerprint: world.chronicle.fingerprint,
    events: world.time.events,
    outcomes: world.chronicle.outcomes,
    healedMs: calm?.healedMs,
    kinds: [...new Set(faults.map(({ kind }) => kind))].toSorted(),
  };
}
