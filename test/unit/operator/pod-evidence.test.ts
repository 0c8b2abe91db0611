import { describe, expect, test } from "@jest/globals";
import type { Heartbeat } from "../../../crds/lease.ts";
import { hasProcessEnded, type Pod } from "../../../operator/workers/pod-evidence.ts";
import { Roster } from "../../../operator/workers/roster.ts";

const SINCE = "2026-01-01T10:00:05.700000Z";

function pod(status: Pod["status"]): Pod {
  return {
    metadata: { name: "w1", uid: "pod-1", creationTimestamp: "2026-01-01T10:00:00Z" },
    ...(status === undefined ? {} : { status }),
  };
}

const running = (startedAt: string) => ({ state: { running: { startedAt } } });
const exited = (finishedAt: string) => ({ state: { terminated: { finishedAt } } });

describe("a Pod", () => {
  test.each([
    ["says nothing yet", undefined, false],
    ["runs its container", { containerStatuses: [{ name: "x", ...running("2026-01-01T10:00:04Z") }] }, false],
    ["saw it exit", { containerStatuses: [{ name: "x", ...exited("2026-01-01T10:07:00Z") }] }, true],
    [
      "has started it anew",
      {
        containerStatuses: [
          {
            name: "x",
            ...running("2026-01-01T10:07:02Z"),
            lastState: { terminated: { finishedAt: "2026-01-01T10:07:00Z" } },
          },
        ],
      },
      true,
    ],
    [
      "waits to start it anew",
      {
        containerStatuses: [{ name: "x", lastState: { terminated: { finishedAt: "2026-01-01T10:07:00Z" } } }],
      },
      true,
    ],
    [
      "started this very process after an earlier one exited",
      {
        containerStatuses: [
          {
            name: "x",
            ...running("2026-01-01T10:00:05Z"),
            lastState: { terminated: { finishedAt: "2026-01-01T10:00:03Z" } },
          },
        ],
      },
      false,
    ],
    [
      "shows the exit of an earlier process",
      { containerStatuses: [{ name: "x", ...exited("2026-01-01T10:00:04Z") }] },
      false,
    ],
    // The kubelet rounds to seconds.
    [
      "restarted it within the second in which it registered",
      {
        containerStatuses: [
          {
            name: "x",
            ...running("2026-01-01T10:00:05Z"),
            lastState: { terminated: { finishedAt: "2026-01-01T10:00:05Z" } },
          },
        ],
      },
      false,
    ],
    [
      "lost a sidecar only",
      {
        containerStatuses: [
          { name: "sidecar", ...exited("2026-01-01T10:07:00Z") },
          { name: "worker", ...running("2026-01-01T10:00:04Z") },
        ],
      },
      false,
    ],
    ["was evicted", { phase: "Failed" }, true],
  ] as const)("that %p", (_what, status, expected) => {
    expect(hasProcessEnded(pod(status), SINCE)).toBe(expected);
  });
});

describe("the roster", () => {
  const heartbeat: Heartbeat = {
    worker: "w1-a",
    pod: "w1",
    pool: "default",
    zone: "a",
    version: "1",
    capacity: 100,
    draining: false,
    databaseReachable: true,
    intervalMs: 1_000,
    since: SINCE,
  };
  const lease = {
    metadata: {
      name: "worker-w1-a",
      creationTimestamp: "2026-01-01T10:00:05Z",
      ownerReferences: [{ apiVersion: "v1", kind: "Pod", name: "w1", uid: "pod-1" }],
    },
  };
  const livenessIn = (roster: Roster) => roster.view(0).workers.get("w1-a")?.liveness;
  const dead = pod({ containerStatuses: [{ name: "x", ...exited("2026-01-01T10:07:00Z") }] });

  test("takes a worker for gone at once when its container exits, and says that this matters", () => {
    const roster = new Roster();
    roster.seen(heartbeat, lease, 0, false);
    expect(roster.podSeen(pod(undefined))).toBe(false);
    expect(livenessIn(roster)).toBe("live");
    expect(roster.podSeen(dead)).toBe(true);
    expect(livenessIn(roster)).toBe("gone");
  });

  test("also when the Pod was seen before the heartbeat", () => {
    const roster = new Roster();
    roster.podSeen(dead);
    roster.seen(heartbeat, lease, 0, false);
    expect(livenessIn(roster)).toBe("gone");
  });

  test("takes a worker for gone for good when its Pod is deleted, even if it beats on", () => {
    const roster = new Roster();
    roster.podSeen(pod(undefined));
    roster.seen(heartbeat, lease, 0, false);
    expect(roster.podDeleted(pod(undefined))).toBe(true);
    roster.seen(heartbeat, lease, 100, false);
    expect(livenessIn(roster)).toBe("gone");
  });

  test("knows nothing of a worker by somebody else's Pod", () => {
    const roster = new Roster();
    roster.seen(heartbeat, lease, 0, false);
    expect(roster.podDeleted({ metadata: { name: "w1", uid: "pod-0" } })).toBe(false);
    expect(livenessIn(roster)).toBe("live");
  });

  test("takes a worker to be as old as its Pod", () => {
    const roster = new Roster();
    roster.seen(heartbeat, lease, 0, false);
    expect(roster.view(0).workers.get("w1-a")?.bornAt).toBe("2026-01-01T10:00:05Z");
    roster.podSeen(pod(undefined));
    expect(roster.view(0).workers.get("w1-a")?.bornAt).toBe("2026-01-01T10:00:00Z");
  });

  test("lets a worker drain for as long as its Pod is annotated, whatever its heartbeats say", () => {
    const roster = new Roster();
    const annotated = (value: string) => {
      const plain = pod(undefined);
      return { ...plain, metadata: { ...plain.metadata, annotations: { "dispatch.city/drain": value } } };
    };
    roster.podSeen(pod(undefined));
    roster.seen(heartbeat, lease, 0, false);
    expect(livenessIn(roster)).toBe("live");
    expect(roster.podSeen(annotated("true"))).toBe(true);
    expect(livenessIn(roster)).toBe("draining");
    // A heartbeat that only says that all is as before must not cost a round.
    expect(roster.seen(heartbeat, lease, 0, false)).toBe(false);
    expect(livenessIn(roster)).toBe("draining");
    expect(roster.podSeen(annotated("true"))).toBe(false);
    expect(roster.podSeen(pod(undefined))).toBe(true);
    expect(livenessIn(roster)).toBe("live");
  });
});
