/**
 * A tenure: one worker's hold on one city under one token, from claim to end.
 *
 *     claiming ──claimed──▶ ticking ──fenced │ unassigned │ stopping──▶ ended      (ended never runs again)
 *         ▲                    │
 *         └── unknown, outpaced, reload ──┘
 *
 * Invariants, each held by a line below:
 *  - it claims first and reads after: only `claimed` leads to `ticking`, and a tick builds on the one (number and commit
 *    id) that the claim or the last commit returned;
 *  - whenever it does not know what the database holds (`unknown`, `outpaced`, `reload`) it claims again before it
 *    computes anything;
 *  - `ended` is final: a fenced tenure never writes again, whatever arrives later.
 */

export type TenureState =
  | { readonly kind: "claiming"; readonly attempt: number; readonly because: ClaimingReason }
  | {
      readonly kind: "ticking";
      readonly epoch: bigint;
      /** Number of the last tick known to be committed. */
      readonly lastTick: bigint;
      /** Its commit id, which the next commit presents; undefined when the city has never ticked. */
      readonly lastCommitId: string | undefined;
      /** Slot of that tick; undefined when the city has never ticked. */
      readonly lastSlotMs: number | undefined;
      /** Ticks missed since the last committed one. */
      readonly missed: number;
    }
  | { readonly kind: "ended"; readonly because: EndReason };

export type ClaimingReason =
  | "assigned"
  | "behind"
  | "foreign"
  | "claim-failed"
  | "unknown"
  | "outpaced"
  | "reload";
export type EndReason = "fenced" | "unassigned" | "stopping";

export type TenureEvent =
  | {
      readonly kind: "claimed";
      readonly epoch: bigint;
      readonly tick: bigint;
      readonly slotMs: number | undefined;
      readonly commitId: string | undefined;
    }
  /** A larger token is at the fence: the Lease we act on may be about to change. */
  | { readonly kind: "behind" }
  | { readonly kind: "foreign" }
  | { readonly kind: "claim-failed" }
  | {
      readonly kind: "committed";
      readonly tick: bigint;
      readonly slotMs: number;
      readonly commitId: string;
    }
  /** The tick was given up before anything was sent: the database is as it was. `because`: the code of the error. */
  | { readonly kind: "missed"; readonly because: string }
  /** The snapshot shows another tick than ours, or another commit of it: the database lost commits, or a late packet was let in. */
  | { readonly kind: "reload" }
  | { readonly kind: "outpaced" }
  | { readonly kind: "unknown" }
  | { readonly kind: "fenced" }
  | { readonly kind: "unassigned" }
  | { readonly kind: "stopping" };

export const assigned: TenureState = { kind: "claiming", attempt: 0, because: "assigned" };

export function transition(state: TenureState, event: TenureEvent): TenureState {
  if (state.kind === "ended") return state;
  switch (event.kind) {
    case "claimed":
      return {
        kind: "ticking",
        epoch: event.epoch,
        lastTick: event.tick,
        lastCommitId: event.commitId,
        lastSlotMs: event.slotMs,
        missed: 0,
      };
    case "behind":
    case "foreign":
    case "claim-failed":
      return { kind: "claiming", attempt: attemptOf(state) + 1, because: event.kind };
    case "committed":
      if (state.kind !== "ticking") return state;
      return {
        ...state,
        lastTick: event.tick,
        lastCommitId: event.commitId,
        lastSlotMs: event.slotMs,
        missed: 0,
      };
    case "missed":
      if (state.kind !== "ticking") return state;
      return { ...state, missed: state.missed + 1 };
    case "reload":
    case "outpaced":
    case "unknown":
      return { kind: "claiming", attempt: 0, because: event.kind };
    case "fenced":
    case "unassigned":
    case "stopping":
      return { kind: "ended", because: event.kind };
    default:
      return event satisfies never;
  }
}

function attemptOf(state: TenureState): number {
  return state.kind === "claiming" ? state.attempt : 0;
}
