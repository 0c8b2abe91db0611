import type { Installation } from "./installation.ts";

/** What planned work costs the cities, counted from the ledger. */

/**
 * Runs the work, waits until every city has ticked before and after it, and returns one line for each city that missed a slot
 * or moved more often than it may.
 */
export async function troubledBy(
  product: Installation,
  input: { readonly cities: readonly string[]; readonly periodMs: number; readonly movesMax: number },
  work: () => Promise<void>,
): Promise<readonly string[]> {
  const { cities, periodMs, movesMax } = input;
  const sinceMs = await product.databaseTimeMs();
  await product.awaitTicks(cities, sinceMs, 4 * periodMs);
  await work();
  await product.awaitTicks(cities, await product.databaseTimeMs(), 6 * periodMs);
  const lines = await Promise.all(
    cities.map(async (city) => {
      const [missed, moves] = await Promise.all([
        product.missedSlots(city, sinceMs),
        product.moves(city, sinceMs),
      ]);
      return missed > 0 || moves > movesMax ? [`${city}: ${missed} missed slots, ${moves} moves`] : [];
    }),
  );
  return lines.flat();
}
