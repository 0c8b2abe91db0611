import { describe, expect, test } from "@jest/globals";
import * as fc from "fast-check";
import {
  assigned,
  transition,
  type TenureEvent,
  type TenureState,
} from "../../../worker/tenure/transition.ts";

const claimed: TenureEvent = { kind: "claimed", epoch: 1n, tick: 7n, slotMs: 1_000, commitId: "seventh" };

const missed: TenureEvent = { kind: "missed", because: "database-unreachable" };

function after(...events: readonly TenureEvent[]): TenureState {
  return events.reduce(transition, assigned);
}

describe("a tenure", () => {
  test("ticks only after a claim, from the tick that the claim returned", () => {
    expect(after({ kind: "committed", tick: 8n, slotMs: 2_000, commitId: "eighth" })).toEqual(assigned);
    expect(after(claimed)).toEqual({
      kind: "ticking",
      epoch: 1n,
      lastTick: 7n,
      lastCommitId: "seventh",
      lastSlotMs: 1_000,
      missed: 0,
    });
  });

  test("goes on from each committed tick", () => {
    expect(after(claimed, { kind: "committed", tick: 8n, slotMs: 2_000, commitId: "eighth" })).toMatchObject({
      kind: "ticking",
      lastTick: 8n,
      lastCommitId: "eighth",
      lastSlotMs: 2_000,
    });
  });

  test.each(["unknown", "outpaced", "reload"] as const)(
    "claims again after %s, before anything is computed",
    (kind) => {
      expect(after(claimed, { kind })).toEqual({ kind: "claiming", attempt: 0, because: kind });
    },
  );

  test.each(["behind", "foreign", "claim-failed"] as const)(
    "tries again, later each time, while %s",
    (kind) => {
      expect(after({ kind }, { kind })).toEqual({ kind: "claiming", attempt: 2, because: kind });
    },
  );

  test("counts missed ticks until one commits", () => {
    expect(after(claimed, missed, missed)).toMatchObject({ missed: 2, lastTick: 7n });
    expect(
      after(claimed, missed, { kind: "committed", tick: 8n, slotMs: 1, commitId: "eighth" }),
    ).toMatchObject({
      missed: 0,
    });
  });

  test("never runs again once it has ended, whatever comes", () => {
    const kinds = [
      "behind",
      "foreign",
      "claim-failed",
      "reload",
      "outpaced",
      "unknown",
      "fenced",
      "unassigned",
      "stopping",
    ] as const;
    const event = fc.oneof(
      fc.constant(claimed),
      fc.constant(missed),
      fc.constant<TenureEvent>({ kind: "committed", tick: 9n, slotMs: 3_000, commitId: "ninth" }),
      ...kinds.map((kind) => fc.constant<TenureEvent>({ kind })),
    );
    fc.assert(
      fc.property(fc.array(event), fc.constantFrom("fenced", "unassigned", "stopping"), (events, because) => {
        const ended = after(claimed, { kind: because as "fenced" });
        expect(events.reduce(transition, ended)).toEqual({ kind: "ended", because });
      }),
    );
  });
});
