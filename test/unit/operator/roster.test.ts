import { describe, expect, test } from "@jest/globals";
import type { Heartbeat } from "../../../crds/lease.ts";
import { Roster, livenessOf, type Observation } from "../../../operator/workers/roster.ts";

const INTERVAL_MS = 1_000;

function heartbeat(worker: string, fields: Partial<Heartbeat> = {}): Heartbeat {
  return {
    worker,
    pod: worker,
    pool: "default",
    zone: "a",
    version: "1",
    capacity: 100,
    draining: false,
    databaseReachable: true,
    intervalMs: INTERVAL_MS,
    since: "2026-01-01T00:00:00.000000Z",
    ...fields,
  };
}

function observation(fields: Partial<Observation> = {}): Observation {
  return {
    heartbeat: heartbeat("w1"),
    beatMs: 10_000,
    hasBeaten: true,
    commitMs: undefined,
    failedMs: undefined,
    isConfirmedSilent: false,
    hasEnded: false,
    isDrainOrdered: false,
    ...fields,
  };
}

const lease = { metadata: { name: "worker-w1", creationTimestamp: "2026-01-01T00:00:00Z" } };

describe("a worker", () => {
  test.each([
    [0, "live", false],
    [1_999, "live", false],
    [2_000, "late", false],
    [2_999, "late", false],
    [3_000, "late", true],
  ] as const)("that has been silent for %i ms is %s (suspect: %p)", (silenceMs, liveness, isSuspect) => {
    expect(livenessOf(observation(), 10_000 + silenceMs)).toMatchObject({ liveness, isSuspect });
  });

  test("that lost a stalled city gets nothing new until it is heard of again", () => {
    const failed = { failedMs: 10_500 };
    expect(livenessOf(observation(failed), 10_500)).toMatchObject({ liveness: "late", isSuspect: false });
    expect(livenessOf(observation({ ...failed, beatMs: 10_600 }), 10_600)).toMatchObject({
      liveness: "live",
    });
    expect(livenessOf(observation({ ...failed, commitMs: 10_600 }), 10_600)).toMatchObject({
      liveness: "live",
    });
  });

  test("is gone only when a quorum read confirmed the silence", () => {
    expect(livenessOf(observation({ isConfirmedSilent: true }), 13_000)).toMatchObject({ liveness: "gone" });
    expect(livenessOf(observation({ isConfirmedSilent: true }), 12_999)).toMatchObject({ liveness: "late" });
  });

  test("that commits lives, whatever its heartbeat says", () => {
    expect(livenessOf(observation({ commitMs: 19_000, isConfirmedSilent: true }), 20_000)).toMatchObject({
      liveness: "live",
    });
  });

  test("whose Lease was there before we looked is joining until it changes", () => {
    expect(livenessOf(observation({ hasBeaten: false }), 10_500)).toMatchObject({ liveness: "joining" });
  });

  test("is draining while it says so and lives", () => {
    const draining = { heartbeat: heartbeat("w1", { draining: true }) };
    expect(livenessOf(observation(draining), 12_500)).toMatchObject({ liveness: "draining" });
    expect(livenessOf(observation({ ...draining, isConfirmedSilent: true }), 13_000)).toMatchObject({
      liveness: "gone",
    });
  });

  test("is draining while a person's annotation on its Pod says so", () => {
    expect(livenessOf(observation({ isDrainOrdered: true }), 10_500)).toMatchObject({ liveness: "draining" });
  });

  test("tells when to look again", () => {
    expect(livenessOf(observation(), 10_500).lookAgainInMs).toBe(1_500);
    expect(livenessOf(observation(), 12_500).lookAgainInMs).toBe(500);
  });
});

describe("the roster", () => {
  const livenessIn = (roster: Roster, worker: string, nowMs: number) =>
    roster.view(nowMs).workers.get(worker)?.liveness;

  test("believes change that it saw, not what it found", () => {
    const roster = new Roster();
    roster.seen(heartbeat("found"), lease, 0, true);
    roster.seen(heartbeat("seen"), lease, 0, false);
    expect(livenessIn(roster, "found", 0)).toBe("joining");
    expect(livenessIn(roster, "seen", 0)).toBe("live");
    roster.seen(heartbeat("found"), lease, 500, false);
    expect(livenessIn(roster, "found", 500)).toBe("live");
  });

  test("says which heartbeats can change a decision", () => {
    const roster = new Roster();
    expect(roster.seen(heartbeat("w1"), lease, 0, false)).toBe(true);
    expect(roster.seen(heartbeat("w1"), lease, 1_000, false)).toBe(false);
    expect(roster.seen(heartbeat("w1", { draining: true }), lease, 2_000, false)).toBe(true);
    expect(roster.seen(heartbeat("w1", { draining: true }), lease, 3_000, false)).toBe(false);
    roster.seen(heartbeat("w2"), lease, 0, false);
    expect(roster.seen(heartbeat("w2"), lease, 2_500, false)).toBe(true);
  });

  test("names suspects, and takes a confirmed one for gone until it beats again", () => {
    const roster = new Roster();
    roster.seen(heartbeat("w1"), lease, 0, false);
    expect(roster.view(3_000).suspects).toEqual(["w1"]);
    roster.confirmSilent("w1");
    expect(roster.view(3_000).suspects).toEqual([]);
    expect(livenessIn(roster, "w1", 3_000)).toBe("gone");
    roster.seen(heartbeat("w1"), lease, 9_000, false);
    expect(livenessIn(roster, "w1", 9_000)).toBe("live");
  });

  test("begins afresh after trouble of our own: nobody is gone for a silence that we could not have heard end", () => {
    const roster = new Roster();
    roster.seen(heartbeat("w1"), lease, 0, false);
    roster.observeAfresh(30_000);
    expect(livenessIn(roster, "w1", 30_000)).toBe("joining");
    expect(livenessIn(roster, "w1", 32_000)).toBe("late");
    roster.seen(heartbeat("w1"), lease, 32_500, false);
    expect(livenessIn(roster, "w1", 32_500)).toBe("live");
  });

  test("takes an older process of the same Pod for gone, in whatever order they are seen", () => {
    const older = heartbeat("w1-a", { pod: "w1", since: "2026-01-01T00:00:00.000000Z" });
    const newer = heartbeat("w1-b", { pod: "w1", since: "2026-01-01T00:00:09.000000Z" });
    for (const order of [
      [older, newer],
      [newer, older],
    ]) {
      const roster = new Roster();
      for (const beat of order) roster.seen(beat, lease, 0, false);
      expect(livenessIn(roster, "w1-a", 0)).toBe("gone");
      expect(livenessIn(roster, "w1-b", 0)).toBe("live");
    }
  });

  test("forgets a worker whose Lease left", () => {
    const roster = new Roster();
    roster.seen(heartbeat("w1"), lease, 0, false);
    roster.left("w1");
    expect(roster.view(0).workers.size).toBe(0);
  });
});
