import { check, ensureSpin } from "./spin.ts";
import { VARIANTS, type Variant } from "./variants.ts";

/** Checks the protocol's model in every world, and that no guard can be taken away. Ends with "N passed, N failed". */

const COLUMNS = { name: 40, expected: 9, found: 9, states: 10, seconds: 8 };

function row(cells: Readonly<Record<keyof typeof COLUMNS, string>>, violation: string): string {
  const { name, expected, found, states, seconds } = cells;
  const texts = [
    name.padEnd(COLUMNS.name),
    expected.padEnd(COLUMNS.expected),
    found.padEnd(COLUMNS.found),
    states.padStart(COLUMNS.states),
    seconds.padStart(COLUMNS.seconds),
  ];
  return `${texts.join(" ")}  ${violation}`.trimEnd();
}

async function isAsExpected(spin: string, variant: Variant): Promise<boolean> {
  const { name, expected } = variant;
  try {
    const { violation, states, seconds } = await check(spin, variant.switches, new AbortController().signal);
    const found = violation === undefined ? "holds" : "refuted";
    const cells = { name, expected, found, states: String(states), seconds: seconds.toFixed(1) };
    process.stdout.write(`${row(cells, violation ?? "")}\n`);
    return found === expected;
  } catch (error) {
    process.stdout.write(`${name}: ${Error.isError(error) ? error.message : String(error)}\n`);
    return false;
  }
}

const spin = await ensureSpin((line) => process.stdout.write(`${line}\n`), new AbortController().signal);
const titles = {
  name: "variant",
  expected: "expected",
  found: "found",
  states: "states",
  seconds: "seconds",
};
process.stdout.write(`${row(titles, "violated")}\n`);
let failed = 0;
for (const variant of VARIANTS) {
  if (!(await isAsExpected(spin, variant))) failed += 1;
}
process.stdout.write(`${VARIANTS.length - failed} passed, ${failed} failed\n`);
process.exitCode = failed === 0 ? 0 : 1;
