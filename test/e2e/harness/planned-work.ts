import { fleetAtRest } from "./holdings.ts";
import type { Installation } from "./installation.ts";
import { workerPods } from "./workers.ts";

/** What planned work costs the cities, counted from the ledger. */

/** pino's number for "warn". */
const WARN = 40;
const WARNINGS_MAX = 40;

/**
 * Runs the work on a fleet at rest, waits until it is at rest again and every city has ticked, and returns one line for each
 * city that missed a slot or moved more often than it may.
 */
export async function troubledBy(
  product: Installation,
  input: { readonly cities: readonly string[]; readonly periodMs: number; readonly movesMax: number },
  work: () => Promise<void>,
): Promise<readonly string[]> {
  const { cities, periodMs, movesMax } = input;
  await fleetAtRest(product, cities.length);
  const sinceMs = await product.databaseTimeMs();
  await product.awaitTicks(cities, sinceMs, 4 * periodMs);
  await work();
  await fleetAtRest(product, cities.length);
  await product.awaitTicks(cities, await product.databaseTimeMs(), 6 * periodMs);
  const lines = await Promise.all(
    cities.map(async (city) => {
      const [missed, moves, course] = await Promise.all([
        product.missedSlots(city, sinceMs),
        product.moves(city, sinceMs),
        product.course(city, sinceMs),
      ]);
      const isTroubled = missed > 0 || moves > movesMax;
      return isTroubled ? [`${city}: ${missed} missed slots, ${moves} moves: ${course}`] : [];
    }),
  );
  const troubled = lines.flat();
  if (troubled.length > 0) process.stderr.write(await warnings(product));
  return troubled;
}

/** What the workers that are there warned of, for whoever looks for the cause. */
async function warnings(product: Installation): Promise<string> {
  const pods = await workerPods(product);
  const logs = await Promise.all(pods.map((pod) => product.kubectl(["logs", pod])));
  return logs
    .flatMap((log) => log.split("\n").filter((line) => Number(/"level":(\d+)/.exec(line)?.[1]) >= WARN))
    .slice(-WARNINGS_MAX)
    .map((line) => `${line}\n`)
    .join("");
}
