import type { TaskSpec } from "../crds/city.ts";
import { decodeAssignment, type Assignment, type Lease } from "../crds/lease.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Log } from "../runtime/log.ts";
import type { Tenure } from "./tenure/tenure.ts";

/**
 * What this worker holds: one tenure per City Lease that names it. A Lease that leaves, or that comes back with another
 * token, lets the tick in flight end and starts nothing more under the old token; the successor (maybe this very worker)
 * claims at once, and the fence decides between them.
 */
export type Assignments = {
  /** A City Lease that carries our label was seen, or changed. */
  onLease(lease: Lease): void;
  /** A City Lease left our label, or was deleted. */
  onLeaseGone(lease: Lease): void;
  readonly size: number;
  /** Gives up every tenure with its tick in flight; resolves when all have ended. */
  close(): Promise<void>;
  /** Rejects with the first mistake of our own that ended a tenure. */
  readonly failed: Promise<never>;
};

type Holding = {
  readonly tenure: Tenure;
  hasEnded: boolean;
  /** What the Lease says now; undefined when it no longer names us. */
  wanted: Assignment | undefined;
  cancelReclaim: () => void;
};

/**
 * How long a fenced tenure's Lease has time to say who is next. If it still names us after that, the fence may have gone back
 * (MySQL restored from backup) and is to be claimed once more; a claim behind the fence does nothing.
 */
const RECLAIM_AFTER_MS = 2_000;

export function createAssignments(input: {
  readonly worker: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly start: (assignment: Assignment & { readonly task: TaskSpec }) => Tenure;
  readonly onSize: (cities: number) => void;
}): Assignments {
  const { worker, clock, log } = input;
  const holdings = new Map<string, Holding>();
  const { promise: failed, reject: fail } = Promise.withResolvers<never>();
  // Whoever runs the worker awaits it; a failure must not count as unhandled before that.
  failed.catch(() => undefined);
  let isClosing = false;

  function begin(wanted: Assignment): void {
    const { city, token, task } = wanted;
    if (isClosing) return;
    if (task === undefined) {
      log.error({ city, token: String(token) }, "city lease without a task ignored");
      return;
    }
    const holding: Holding = {
      tenure: input.start({ ...wanted, task }),
      hasEnded: false,
      wanted,
      cancelReclaim: () => undefined,
    };
    holdings.set(city, holding);
    input.onSize(holdings.size);
    holding.tenure.ended.then(() => {
      holding.hasEnded = true;
      if (isClosing) return;
      holding.cancelReclaim = clock.schedule(RECLAIM_AFTER_MS, () => {
        if (holdings.get(city) === holding) follow(city, holding);
      });
      settle(city, holding);
    }, fail);
  }

  /** What follows once a tenure has ended: nothing, its successor, or (fenced, Lease unchanged) waiting for the Lease. */
  function settle(city: string, holding: Holding): void {
    if (!holding.hasEnded || holdings.get(city) !== holding) return;
    if (holding.wanted?.token === holding.tenure.token) return;
    holding.cancelReclaim();
    follow(city, holding);
  }

  function follow(city: string, holding: Holding): void {
    holdings.delete(city);
    input.onSize(holdings.size);
    if (holding.wanted !== undefined) begin(holding.wanted);
  }

  function want(city: string, holding: Holding, wanted: Assignment | undefined): void {
    holding.wanted = wanted;
    if (wanted?.token !== holding.tenure.token) holding.tenure.stop("unassigned");
    settle(city, holding);
  }

  return {
    onLease(lease) {
      const assignment = decodeAssignment(lease);
      const holding = holdings.get(assignment.city);
      if (holding !== undefined)
        want(assignment.city, holding, assignment.worker === worker ? assignment : undefined);
      else if (assignment.worker === worker) begin(assignment);
    },
    onLeaseGone(lease) {
      const { city } = decodeAssignment(lease);
      const holding = holdings.get(city);
      if (holding !== undefined) want(city, holding, undefined);
    },
    get size() {
      return holdings.size;
    },
    async close() {
      isClosing = true;
      for (const { cancelReclaim } of holdings.values()) cancelReclaim();
      const tenures = [...holdings.values()].map(({ tenure }) => tenure);
      for (const tenure of tenures) tenure.abort();
      await Promise.allSettled(tenures.map(({ ended }) => ended));
      holdings.clear();
    },
    failed,
  };
}
