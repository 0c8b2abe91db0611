import { compareEpochTokens } from "../../crds/token.ts";
import type { CityHistory, ClaimRow, TickRow } from "./history.ts";

/**
 * The invariants of the protocol that the tables can prove or refute. Pure: a history in, sentences out. No clock is
 * trusted: a claim records the last tick at its moment, so its place among the ticks is known exactly.
 */

export type Check = {
  /** Its number among the invariants of ARCHITECTURE.md. */
  readonly invariant: number;
  readonly title: string;
  /** One sentence per violation; `examined` counts what was looked at. */
  run(history: CityHistory): { readonly examined: number; readonly violations: readonly string[] };
};

export const CHECKS: readonly Check[] = [
  {
    invariant: 1,
    title: "a tick carries the token that its fence held when it was committed",
    run: (history) =>
      eachTick(history, (tick, claim) => {
        if (claim === undefined) return `tick ${tick.tick} was committed without a claim before it`;
        if (compareEpochTokens(tick, claim) === 0) return undefined;
        return `tick ${tick.tick} carries token ${tokenText(tick)}, but claim ${claim.claim} had put ${tokenText(claim)} at the fence`;
      }),
  },
  { invariant: 2, title: "fences only rise", run: fencesRise },
  {
    invariant: 3,
    title: "ticks are 1, 2, 3, … with no gap, and their tokens never fall",
    run: ticksAreGapless,
  },
  {
    invariant: 4,
    title: "a tick is computed from a snapshot that contains the one before it",
    run: ticksAreChained,
  },
  { invariant: 5, title: "every commit is there once, with all its decisions", run: commitsAreWhole },
  {
    invariant: 7,
    title: "an order has one active assignment, a courier no more than its capacity",
    run: loadsHold,
  },
  {
    invariant: 9,
    title: "nothing is committed for a sealed city",
    run: (history) =>
      eachTick(history, (tick, claim) =>
        claim !== undefined && claim.holder === undefined
          ? `tick ${tick.tick} was committed after claim ${claim.claim} had sealed the city`
          : undefined,
      ),
  },
  { invariant: 10, title: "what a tick gives to a courier is one bundle", run: bundlesAreOne },
];

/** Slots between two ticks of one unsealed stretch that no tick was committed for. Not a violation. */
export function missedSlots(history: CityHistory): number {
  const sealedAfter = new Set(
    history.claims.filter(({ holder }) => holder === undefined).map(({ tick }) => tick),
  );
  let missed = 0;
  for (const [index, tick] of history.ticks.entries()) {
    const previous = history.ticks[index - 1];
    if (previous === undefined || sealedAfter.has(previous.tick)) continue;
    // Across a change of the period the longer one counts, so that nothing is called missed that was not due.
    const periodMs = Math.max(tick.periodMs, previous.periodMs);
    if (periodMs > 0) missed += Math.max(0, Math.round((tick.slotMs - previous.slotMs) / periodMs) - 1);
  }
  return missed;
}

type Finding = ReturnType<Check["run"]>;

/** Runs `check` on every tick together with the claim that was in force when it was committed. */
function eachTick(
  { ticks, claims }: CityHistory,
  check: (tick: TickRow, claim: ClaimRow | undefined) => string | undefined,
): Finding {
  const violations: string[] = [];
  let next = 0;
  for (const tick of ticks) {
    // A claim is before every tick with a larger number than the last one at its moment.
    for (let claim = claims[next]; claim !== undefined && claim.tick < tick.tick; claim = claims[next])
      next += 1;
    const violation = check(tick, claims[next - 1]);
    if (violation !== undefined) violations.push(violation);
  }
  return { examined: ticks.length, violations };
}

function fencesRise({ claims, fence, authorityEpoch }: CityHistory): Finding {
  const violations: string[] = [];
  for (const [index, claim] of claims.entries()) {
    const previous = claims[index - 1];
    if (previous === undefined) continue;
    const rise = compareEpochTokens(claim, previous);
    // The token that is held may seal its own fence; otherwise each one is larger.
    const isSealOfSame = rise === 0 && claim.holder === undefined && previous.holder !== undefined;
    if (rise <= 0 && !isSealOfSame) {
      violations.push(`claim ${claim.claim} with ${tokenText(claim)} followed ${tokenText(previous)}`);
    }
    if (claim.claim !== previous.claim + 1n) violations.push(`claim ${previous.claim + 1n} is missing`);
    if (claim.tick < previous.tick)
      violations.push(`claim ${claim.claim} saw tick ${claim.tick} after ${previous.tick}`);
  }
  const last = claims.at(-1);
  if (last === undefined) {
    violations.push("the fence was raised without a claim");
  } else if (
    compareEpochTokens(last, fence) !== 0 ||
    last.holder !== fence.holder ||
    last.claim !== fence.claims
  ) {
    violations.push(`the fence holds ${tokenText(fence)}, the last claim had put ${tokenText(last)} there`);
  }
  if (authorityEpoch === undefined || fence.epoch > authorityEpoch) {
    violations.push(`the fence is in epoch ${fence.epoch}, the authority in ${authorityEpoch ?? "none"}`);
  }
  return { examined: claims.length, violations };
}

function ticksAreGapless({ ticks, fence }: CityHistory): Finding {
  const violations: string[] = [];
  for (const [index, tick] of ticks.entries()) {
    const previous = ticks[index - 1];
    if (previous === undefined) continue;
    if (tick.tick !== previous.tick + 1n) violations.push(`tick ${tick.tick} follows tick ${previous.tick}`);
    if (compareEpochTokens(tick, previous) < 0) {
      violations.push(
        `the token falls from ${tokenText(previous)} to ${tokenText(tick)} at tick ${tick.tick}`,
      );
    }
  }
  const last = ticks.at(-1)?.tick ?? 0n;
  if (last !== fence.tick) violations.push(`the fence is at tick ${fence.tick}, the ledger at ${last}`);
  return { examined: ticks.length, violations };
}

/** By number and by commit id: a number can be given twice when the database lost ticks. */
function ticksAreChained({ ticks }: CityHistory): Finding {
  const violations: string[] = [];
  for (const [index, tick] of ticks.entries()) {
    if (tick.snapshotTick !== tick.tick - 1n) {
      violations.push(`tick ${tick.tick} was computed from a snapshot of tick ${tick.snapshotTick}`);
    }
    const previous = ticks[index - 1];
    // Ticks of a version that did not write it come first, and have none.
    const isOlder = tick.previousCommitId === undefined && previous?.previousCommitId === undefined;
    if (previous?.tick !== tick.tick - 1n || isOlder) continue;
    if (tick.previousCommitId !== previous.commitId) {
      violations.push(
        `tick ${tick.tick} builds on commit ${tick.previousCommitId ?? "none"}, but tick ${previous.tick} is ${previous.commitId}`,
      );
    }
  }
  return { examined: ticks.length, violations };
}

function commitsAreWhole({ ticks, assignments }: CityHistory): Finding {
  const violations: string[] = [];
  const commitIds = new Map<string, bigint>();
  for (const tick of ticks) {
    const earlier = commitIds.get(tick.commitId);
    if (earlier !== undefined)
      violations.push(`ticks ${earlier} and ${tick.tick} are the same commit ${tick.commitId}`);
    commitIds.set(tick.commitId, tick.tick);
    const made = assignments?.byTick.get(tick.tick) ?? 0;
    if (assignments !== undefined && made + tick.dropped !== tick.decisions) {
      violations.push(
        `tick ${tick.tick} had ${tick.decisions} decisions, but ${made} assignments and ${tick.dropped} dropped ones`,
      );
    }
  }
  const known = new Set(ticks.map(({ tick }) => tick));
  for (const [tick, made] of assignments?.byTick ?? []) {
    if (!known.has(tick))
      violations.push(`${made} assignments belong to tick ${tick}, which was never committed`);
  }
  return { examined: ticks.length, violations };
}

function loadsHold({ assignments }: CityHistory): Finding {
  if (assignments === undefined) return { examined: 0, violations: [] };
  return {
    examined: assignments.active,
    violations: [
      ...assignments.doubled.map((order) => `order ${order} has more than one active assignment`),
      ...assignments.ofEndedOrders.map((order) => `order ${order} is over, but has an active assignment`),
      ...assignments.takenForNothing.map(
        (order) => `order ${order} was taken from a courier and given to nobody`,
      ),
      ...assignments.overloaded.map(
        ({ courier, active, capacity }) =>
          `courier ${courier} has ${active} orders and a capacity of ${capacity}`,
      ),
    ],
  };
}

/** Of one store, since it is picked up at once, and with a door of its own for every order. */
function bundlesAreOne({ assignments }: CityHistory): Finding {
  const violations: string[] = [];
  for (const { courier, tick, stores, stops } of assignments?.bundles ?? []) {
    const what = `tick ${tick} gave courier ${courier}`;
    if (stores.length > 1) violations.push(`${what} orders of ${stores.length} stores at once`);
    if (new Set(stops).size < stops.length) violations.push(`${what} two orders for the same stop`);
  }
  return { examined: assignments?.bundles.length ?? 0, violations };
}

function tokenText({ epoch, token }: { readonly epoch: bigint; readonly token: bigint }): string {
  return `(${epoch}, ${token})`;
}
