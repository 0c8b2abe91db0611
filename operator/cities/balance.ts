import type { WorkerView } from "../workers/roster.ts";
import type { Candidates } from "./choose.ts";
import { HYSTERESIS, type Loads } from "./loads.ts";
import type { CityView, FleetView } from "./view.ts";

/** A move must close at least this share of the difference between the two workers. */
const GAIN_MIN = 0.1;
/**
 * A city that was moved stays where it is for this long, unless its holder goes. So does one whose Lease this operator has not
 * seen for as long: a new leader does not know what the last one has moved.
 */
const COOL_DOWN_MS = 10_000;

/**
 * Moves from the most to the least loaded worker of each pool, as many as the budget allows, each of which makes the
 * pool more even. Takes only cities that are where they should be, that nobody pinned, and that have cooled down.
 */
export function balance(
  settled: readonly CityView[],
  view: FleetView,
  loads: Loads,
  candidatesIn: (pool: string) => Candidates,
): { readonly city: string; readonly worker: string }[] {
  const moves: { city: string; worker: string }[] = [];
  if (view.shedBudget < 1) return moves;
  const moved = new Set<string>();
  let cool: readonly CityView[] | undefined;
  for (const pool of new Set(settled.map((city) => city.pool))) {
    while (moves.length < view.shedBudget) {
      const pair = unevenPair(candidatesIn(pool), loads);
      if (pair === undefined) break;
      // Most of the time nobody gets here, and nothing has to be sorted.
      cool ??= coolOnes(settled, view);
      const city = cityToMove(cool, moved, pair);
      if (city === undefined) break;
      loads.remove(city, pair.from);
      loads.add(city, pair.to);
      moved.add(city.name);
      moves.push({ city: city.name, worker: pair.to.id });
    }
  }
  return moves;
}

/** Those that may be moved, largest first. */
function coolOnes(settled: readonly CityView[], view: FleetView): readonly CityView[] {
  return settled
    .filter(({ pinnedWorker }) => pinnedWorker === undefined)
    .filter(({ movedMs = -Infinity, assignedMs }) => {
      return view.nowMs - Math.max(movedMs, assignedMs) >= COOL_DOWN_MS;
    })
    .toSorted((left, right) => right.weight - left.weight || (left.name < right.name ? -1 : 1));
}

/** Two workers that differ by so much that a move is worth it. */
type Pair = { readonly from: WorkerView; readonly to: WorkerView; readonly difference: number };

function unevenPair({ all, lasting, staying }: Candidates, loads: Loads): Pair | undefined {
  // During a rollout nothing is moved to a worker that will be drained.
  const to = loads.least(lasting);
  const from = loads.most(all);
  if (to === undefined || from === undefined || to === from) return undefined;
  // Of everybody, not of those that are well just now: what is close enough in a calm must not be worth a move because a
  // few are late, as when the API server comes back.
  const mean = staying.reduce((sum, worker) => sum + loads.of(worker), 0) / staying.length;
  const difference = loads.of(from) - loads.of(to);
  return difference <= mean * HYSTERESIS ? undefined : { from, to, difference };
}

/**
 * The largest city whose move leaves the two clearly closer to each other: one that only swaps their loads would be moved
 * back and forth for ever.
 */
function cityToMove(
  cool: readonly CityView[],
  moved: ReadonlySet<string>,
  { from, to, difference }: Pair,
): CityView | undefined {
  return cool.find(
    ({ name, lease, weight }) =>
      lease?.worker === from.id &&
      !moved.has(name) &&
      weight / from.capacity + weight / to.capacity <= (2 - GAIN_MIN) * difference,
  );
}
