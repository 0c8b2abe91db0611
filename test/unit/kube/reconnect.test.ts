import { describe, expect, test } from "@jest/globals";
import {
  decideReconnect,
  isHistoryRewritten,
  RECONNECT_LIMITS,
  type Ended,
} from "../../../runtime/kube/reconnect.ts";

const decide = (kind: Ended["kind"], fields: { livedMs?: number; failures?: number; random?: number } = {}) =>
  decideReconnect({
    ended: { kind },
    livedMs: fields.livedMs ?? 60_000,
    failures: fields.failures ?? 0,
    limits: RECONNECT_LIMITS,
    random: () => fields.random ?? 0.5,
  });

describe("a reflector that lost its watch", () => {
  test("goes on at once after a watch that ended on time or fell silent", () => {
    expect(decide("timed-out")).toEqual({ delayMs: 0, failures: 0, isRelistNeeded: false });
    expect(decide("silent")).toEqual({ delayMs: 0, failures: 0, isRelistNeeded: true });
  });

  test("comes back quickly the first time, but not in the same moment as all the others", () => {
    expect(decide("lost", { random: 0 }).delayMs).toBe(50);
    expect(decide("lost", { random: 1 }).delayMs).toBe(150);
  });

  test("backs off from 0.4 s to 5 s while it keeps failing", () => {
    const delays: number[] = [];
    let failures = 0;
    for (let attempt = 0; attempt < 9; attempt++) {
      const next = decide("lost", { livedMs: 0, failures, random: 1 });
      failures = next.failures;
      delays.push(next.delayMs);
    }
    expect(delays).toEqual([150, 400, 800, 1_600, 3_200, 5_000, 5_000, 5_000, 5_000]);
  });

  test("does not take a watch that was accepted and ended at once for a success", () => {
    expect(decide("lost", { livedMs: 5, failures: 4 }).failures).toBe(5);
    expect(decide("lost", { livedMs: 10_000, failures: 4 }).failures).toBe(1);
  });

  test("lists again when its place in history is gone, or may belong to another history", () => {
    expect(decide("expired").isRelistNeeded).toBe(true);
    expect(decide("lost").isRelistNeeded).toBe(true);
    expect(decide("silent").isRelistNeeded).toBe(true);
    expect(decide("timed-out").isRelistNeeded).toBe(false);
  });
});

describe("history", () => {
  test.each([
    ["9", "10", true],
    ["10", "9", false],
    ["10", "10", false],
    ["9007199254740992", "9007199254740993", true],
    ["5", "", false],
  ])("with %p now and %p last seen was rewritten: %p", (present, lastSeen, expected) => {
    expect(isHistoryRewritten({ present, lastSeen })).toBe(expected);
  });
});
