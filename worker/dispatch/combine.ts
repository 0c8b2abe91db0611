import { bundleOf, type Bundle } from "./bundle.ts";
import { toDeciseconds } from "./cost.ts";
import type { Deadline, Matching, MatchingProblem } from "./matching/match.ts";
import { compareText } from "./matching/rank.ts";
import type { DispatchParameters } from "./model.ts";
import { pairCost } from "./pair-costs.ts";
import type { Pool, PooledOrder } from "./pool.ts";

/** An order is tried with this many others of its store, those that are ready next after it. */
const NEIGHBOURS = 6;
/** How often each order of a store may move from one bundle to another before it is good enough. */
const EXCHANGES_MAX = 3;
/** Ways are rounded: so much the detours of all stops may seem to save, where they save nothing. */
const DETOURS_ROUNDED_MS = 6;

/** One bundle, with what the matching pays for it and the couriers who would have it first. */
type Priced = { readonly bundle: Bundle; readonly worth: number; readonly columns: readonly number[] };

type Context = {
  readonly pool: Pool;
  readonly parameters: DispatchParameters;
  readonly price: Float64Array;
};

/**
 * Puts orders of one store together where that is worth more than it costs. The prices of the best matching of `bundles`,
 * each of one order, say what each courier is worth to others: so little is bundled while couriers are plenty, and much when
 * they are few. Orders are merged first, where most is saved, then single ones exchanged. Whether the answer as a whole
 * gained, another matching has to tell.
 */
export function combine(
  context: Omit<Context, "price">,
  bundles: readonly Bundle[],
  problem: MatchingProblem,
  matching: Matching,
  deadline: Deadline,
): readonly Bundle[] {
  const { columnOf, runnerUpOf, price } = matching;
  const priced = bundles.map((bundle, row): Priced => {
    const column = columnOf[row] ?? -1;
    const worth =
      column === -1 ? (problem.rows.alone[row] ?? 0) : problem.pairCost(row, column) - (price[column] ?? 0);
    return { bundle, worth, columns: [column, runnerUpOf[row] ?? -1].filter((one) => one !== -1) };
  });
  const byStore = [...Map.groupBy(priced, ({ bundle }) => bundle.orders[0]?.storeId ?? "")];
  byStore.sort(([a], [b]) => compareText(a, b));
  return byStore.flatMap(([, ofStore]) => {
    if (ofStore.length === 1 || deadline.hasPassed()) return ofStore.map(({ bundle }) => bundle);
    return combineStore({ ...context, price }, ofStore);
  });
}

function combineStore(context: Context, ofStore: readonly Priced[]): readonly Bundle[] {
  const singles = new Map(ofStore.map((one) => [one.bundle.id, one]));
  // Who could give the order back is asked for it alone.
  const isFixed = ({ bundle }: Priced): boolean => bundle.orders[0]?.holder !== undefined;
  const fixed = ofStore.filter(isFixed);
  const free = ofStore.filter((one) => !isFixed(one));
  free.sort((a, b) => a.bundle.readyAtMs - b.bundle.readyAtMs || compareText(a.bundle.id, b.bundle.id));
  const merged = exchange(context, mergeAll(context, free), singles);
  return [...fixed, ...merged].map(({ bundle }) => bundle);
}

/** Merges the two that save most, again and again, until none save anything. */
function mergeAll(context: Context, ofStore: readonly Priced[]): readonly Priced[] {
  let current = ofStore;
  for (;;) {
    let best:
      | { readonly saving: number; readonly merged: Priced; readonly of: readonly Priced[] }
      | undefined;
    current.forEach((first, index) => {
      for (const second of current.slice(index + 1, index + 1 + NEIGHBOURS)) {
        const worth = first.worth + second.worth;
        if (worth - leastWorthOf(context, first, second) <= (best?.saving ?? 0)) continue;
        const merged = merge(context, first, second);
        if (merged === undefined) continue;
        const saving = worth - merged.worth;
        if (saving > (best?.saving ?? 0)) best = { saving, merged, of: [first, second] };
      }
    });
    if (best === undefined) return current;
    const { merged, of } = best;
    current = current.flatMap((one) => (one === of[0] ? [merged] : one === of[1] ? [] : [one]));
  }
}

/** Takes single orders out of their bundle and puts them into another, for as long as that saves something. */
function exchange(
  context: Context,
  ofStore: readonly Priced[],
  singles: ReadonlyMap<string, Priced>,
): readonly Priced[] {
  let current = [...ofStore];
  for (let left = EXCHANGES_MAX * ofStore.length; left > 0; left--) {
    const next = bestExchange(context, current, singles);
    if (next === undefined) return current;
    current = next;
  }
  return current;
}

function bestExchange(
  context: Context,
  current: readonly Priced[],
  singles: ReadonlyMap<string, Priced>,
): Priced[] | undefined {
  let bestSaving = 0;
  let best: Priced[] | undefined;
  for (const from of current) {
    if (from.bundle.orders.length === 1) continue;
    for (const order of from.bundle.orders) {
      const single = singles.get(order.id);
      const rest = priced(context, withoutOrder(from.bundle, order), from.columns, singles);
      if (single === undefined || rest === undefined) continue;
      for (const to of current) {
        const joined = to === from ? single : merge(context, to, single);
        if (joined === undefined) continue;
        const before = from.worth + (to === from ? 0 : to.worth);
        const saving = before - rest.worth - joined.worth;
        if (saving <= bestSaving) continue;
        bestSaving = saving;
        best = [...current.filter((one) => one !== from && one !== to), rest, joined];
      }
    }
  }
  return best;
}

function withoutOrder(bundle: Bundle, order: PooledOrder): readonly PooledOrder[] {
  return bundle.orders.filter((other) => other !== order);
}

function merge(context: Context, first: Priced, second: Priced): Priced | undefined {
  const orders = [...first.bundle.orders, ...second.bundle.orders];
  if (orders.length > context.parameters.bundleOrdersMax) return undefined;
  return priced(context, orders, [...first.columns, ...second.columns]);
}

/**
 * What both together are worth at least: their orders wait for the last of them, whoever brings them. Told without trying every
 * sequence of doors, since most pairs are ready too far apart.
 */
function leastWorthOf({ parameters }: Context, first: Priced, second: Priced): number {
  const readyAtMs = Math.max(first.bundle.readyAtMs, second.bundle.readyAtMs);
  let lateMs = 0;
  for (const { bundle } of [first, second]) {
    for (const order of bundle.orders) lateMs += readyAtMs - order.readyAtMs;
  }
  const { lateAtPickup, lateAtDoor } = parameters.weights;
  return toDeciseconds(lateAtPickup * lateMs - lateAtDoor * DETOURS_ROUNDED_MS);
}

/** What the orders would be worth together, brought by the best of these couriers; undefined when none of them may. */
function priced(
  { pool, parameters, price }: Context,
  orders: readonly PooledOrder[],
  columns: readonly number[],
  singles?: ReadonlyMap<string, Priced>,
): Priced | undefined {
  const [only, second] = orders;
  if (only === undefined) return undefined;
  if (second === undefined) {
    const single = singles?.get(only.id);
    if (single !== undefined) return single;
  }
  const bundle = bundleOf(orders, parameters);
  if (bundle === undefined) return undefined;
  let worth = Infinity;
  for (const column of columns) {
    const courier = pool.couriers[column];
    if (courier === undefined) continue;
    worth = Math.min(worth, pairCost(bundle, courier, parameters) - (price[column] ?? 0));
  }
  return worth === Infinity ? undefined : { bundle, worth, columns };
}
