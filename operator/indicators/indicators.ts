import type { FencingToken } from "../../crds/token.ts";
import type { Clock } from "../../runtime/clock.ts";
import type { Readings } from "../../runtime/metrics.ts";
import { brakeOf } from "../cities/brake.ts";
import { WAIT_REASONS, type AssignReason, type Decision } from "../cities/place.ts";
import { hasTicked, type CityView, type FleetView } from "../cities/view.ts";
import { BRAKES, type Brakes, type OperatorMetrics } from "../metrics.ts";
import { LIVENESS } from "../workers/roster.ts";
import {
  CITY_STATES,
  gapBeyondPeriodMs,
  isExpected,
  isOfEarlierCity,
  isLate,
  lastCommitOf,
  moveCauseOf,
  slotsMissedBetween,
  stateOf,
  ticksBetween,
  type CityState,
  type Commit,
  type MoveCause,
} from "./judge.ts";

/**
 * The service-level indicators, told by the leader alone: it sees every city's fence, so that nothing is counted twice and
 * nothing is lost with a worker. What happens while nobody leads is not counted.
 */
export type Indicators = {
  /** What was decided on, and what was decided; looks at most once a second. */
  observe(view: FleetView, decisions: ReadonlyMap<string, Decision>): void;
  /** A Lease was written. `token`: its new one. */
  assigned(city: string, token: FencingToken, because: AssignReason): void;
  /** This replica does not lead any more: it says nothing of the cities from now on. */
  rest(): void;
};

const INTERVAL_MS = 1_000;
/** A pause of our own longer than this tells nothing of the cities. */
const ELAPSED_MAX_MS = 5_000;
/** Cities that have series of their own; three each. */
export const CITY_SERIES_MAX = 10_000;

type Move = { readonly token: FencingToken; readonly cause: MoveCause };

/** What is remembered of one city. */
type Watched = {
  /** When it last committed on our monotonic clock, as far as we know; when we began to look, if it never has. */
  lastCommitMs: number;
  /** Undefined: none yet. */
  commit: Commit | undefined;
  /** Nobody was to tick it since that commit. */
  isPaused: boolean;
  state: CityState;
  missedSlots: number;
  moves: number;
  move: Move | undefined;
};

export function createIndicators(input: {
  readonly clock: Clock;
  readonly metrics: OperatorMetrics;
}): Indicators {
  const { clock, metrics } = input;
  const cities = new Map<string, Watched>();
  let observedMs = -Infinity;
  let brakes: Brakes = NO_BRAKES;

  metrics.cityCommitAge(() =>
    readings(cities, ({ lastCommitMs, state }) =>
      state === "suspended" ? undefined : (clock.monotonicMs() - lastCommitMs) / 1_000,
    ),
  );
  metrics.cityMissedSlots(() => readings(cities, ({ missedSlots }) => missedSlots));
  metrics.cityMoves(() => readings(cities, ({ moves }) => moves));

  function look(city: CityView, view: FleetView): Watched {
    const commit = lastCommitOf(city);
    const watched = cities.get(city.name) ?? begin(city, commit, view);
    if (!isExpected(city)) {
      // Whoever is paused misses nothing, and what it commits afterwards follows nothing.
      Object.assign(watched, { commit, isPaused: true, move: undefined, lastCommitMs: view.nowMs });
    } else if (commit !== undefined && commit.committedAtMs !== watched.commit?.committedAtMs) {
      advance(city, watched, commit);
    }
    tellState(watched, stateOf(city, view.nowMs - watched.lastCommitMs, view));
    return watched;
  }

  function tellState(watched: Watched, state: CityState): void {
    if (state === "stalled" && watched.state !== "stalled") metrics.stalls();
    watched.state = state;
  }

  function begin(city: CityView, commit: Commit | undefined, view: FleetView): Watched {
    const isPaused = commit !== undefined && isOfEarlierCity(commit, city);
    const lastCommitMs = isPaused ? view.nowMs : (city.fence?.advancedMs ?? view.nowMs);
    const state = stateOf(city, view.nowMs - lastCommitMs, view);
    const watched = {
      lastCommitMs,
      commit,
      isPaused,
      state,
      missedSlots: 0,
      moves: 0,
      move: undefined,
    };
    cities.set(city.name, watched);
    return watched;
  }

  function advance(city: CityView, watched: Watched, commit: Commit): void {
    const { commit: before, isPaused, move } = watched;
    watched.commit = commit;
    watched.isPaused = false;
    watched.lastCommitMs = city.fence?.advancedMs ?? watched.lastCommitMs;
    if (before === undefined || isPaused) return;
    const missed = slotsMissedBetween(before, commit);
    watched.missedSlots += missed;
    metrics.missedSlots(missed);
    metrics.committedTicks(ticksBetween(before, commit));
    if (move === undefined || city.fence === undefined || city.fence.token < move.token) return;
    const isMovesOwn = city.fence.token === move.token;
    // The claim is in, and this was the former holder's last commit: the gap begins with it.
    if (isMovesOwn && !hasTicked(city)) return;
    watched.move = undefined;
    // A later token than that of the move is another's, whose cause we do not know.
    if (isMovesOwn) tellGap(move.cause, gapBeyondPeriodMs(before, commit) / 1_000);
  }

  function tellGap(cause: MoveCause, seconds: number): void {
    if (cause.kind === "handoff") metrics.handoffGap(cause.because, seconds);
    else metrics.takeoverGap(cause.because, seconds);
  }

  function lookAtAll(view: FleetView, elapsedMs: number): void {
    const states = new Map<CityState, number>();
    const commits = { late: 0, "on-time": 0 };
    for (const city of view.cities) {
      const { state, lastCommitMs } = look(city, view);
      states.set(state, (states.get(state) ?? 0) + 1);
      if (isExpected(city)) commits[isLate(city, view.nowMs - lastCommitMs) ? "late" : "on-time"] += 1;
    }
    metrics.citySeconds("late", (commits.late * elapsedMs) / 1_000);
    metrics.citySeconds("on-time", (commits["on-time"] * elapsedMs) / 1_000);
    for (const state of CITY_STATES) metrics.cities(state, states.get(state) ?? 0);
  }

  function tellRest(view: FleetView, decisions: ReadonlyMap<string, Decision>): void {
    const waiting = countBy([...decisions.values()], (decision) =>
      decision.kind === "wait" ? decision.because : undefined,
    );
    for (const because of WAIT_REASONS) metrics.waitingCities(because, waiting.get(because) ?? 0);
    const workers = countBy([...view.workers.values()], ({ liveness }) => liveness);
    for (const liveness of LIVENESS) metrics.workers(liveness, workers.get(liveness) ?? 0);
    const { holdsStalled, lost } = brakeOf(view);
    tellBrakes({ "most-stalled": holdsStalled, "most-lost": lost !== "free" });
    metrics.foreignAuthority(view.authority.kind === "foreign" ? 1 : 0);
  }

  function tellBrakes(next: Brakes): void {
    for (const brake of BRAKES) {
      metrics.brake(brake, next[brake] ? 1 : 0);
      if (next[brake] && !brakes[brake]) metrics.brakes(brake);
    }
    brakes = next;
  }

  return {
    observe(view, decisions) {
      const elapsedMs = view.nowMs - observedMs;
      if (elapsedMs < INTERVAL_MS) return;
      observedMs = view.nowMs;
      lookAtAll(view, elapsedMs > ELAPSED_MAX_MS ? 0 : elapsedMs);
      tellRest(view, decisions);
      const present = new Set(view.cities.map(({ name }) => name));
      for (const city of cities.keys()) if (!present.has(city)) cities.delete(city);
    },
    assigned(city, token, because) {
      const watched = cities.get(city);
      const cause = moveCauseOf(because);
      if (watched === undefined || cause === undefined) return;
      // It is moved in the round in which it stalls, mostly between two looks.
      if (because === "stalled") tellState(watched, "stalled");
      if (because !== "spec-changed") watched.moves += 1;
      // Moved again before its first commit: what began the gap is its cause.
      watched.move = { token, cause: watched.move?.cause ?? cause };
    },
    rest() {
      cities.clear();
      observedMs = -Infinity;
      for (const state of CITY_STATES) metrics.cities(state, 0);
      for (const because of WAIT_REASONS) metrics.waitingCities(because, 0);
      for (const liveness of LIVENESS) metrics.workers(liveness, 0);
      tellBrakes(NO_BRAKES);
      metrics.foreignAuthority(0);
    },
  };
}

const NO_BRAKES: Brakes = { "most-stalled": false, "most-lost": false };

function countBy<Item, Key>(
  items: readonly Item[],
  keyOf: (item: Item) => Key | undefined,
): ReadonlyMap<Key, number> {
  const counts = new Map<Key, number>();
  for (const item of items) {
    const key = keyOf(item);
    if (key !== undefined) counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return counts;
}

/** Of no more cities than may have series; those that were seen first keep theirs. */
function* readings(
  cities: ReadonlyMap<string, Watched>,
  read: (city: Watched) => number | undefined,
): Readings {
  let count = 0;
  for (const [name, city] of cities) {
    if (++count > CITY_SERIES_MAX) return;
    const value = read(city);
    if (value !== undefined) yield [name, value];
  }
}
