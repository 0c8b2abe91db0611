import { describe, expect, test } from "@jest/globals";
import {
  decideElection,
  heldLease,
  releasedLease,
  sight,
  type ElectionLease,
} from "../../../runtime/kube/election.ts";

const lease = (spec: ElectionLease["spec"], resourceVersion = "7"): ElectionLease => ({
  metadata: { namespace: "default", name: "leader", uid: "u1", resourceVersion },
  ...(spec === undefined ? {} : { spec }),
});

const decide = (found: ElectionLease | undefined, unchangedForMs = 0) =>
  decideElection({
    identity: "me",
    leaseDurationMs: 15_000,
    sighting: { lease: found, unchangedSinceMs: 1_000 },
    nowMs: 1_000 + unchangedForMs,
  });

describe("a candidate", () => {
  test("creates the Lease that is not there", () => {
    expect(decide(undefined)).toEqual({ kind: "create" });
  });

  test("takes a Lease at once that nobody holds", () => {
    expect(decide(lease({ holderIdentity: "" }))).toMatchObject({ kind: "acquire", because: "released" });
    expect(decide(lease(undefined))).toMatchObject({ kind: "acquire", because: "released" });
  });

  test("waits for as long as the holder promised to be good for, then takes over", () => {
    const held = lease({ holderIdentity: "other", leaseDurationSeconds: 4 });
    expect(decide(held, 3_999)).toEqual({ kind: "wait", holder: "other", expiresInMs: 1 });
    expect(decide(held, 4_000)).toMatchObject({ kind: "acquire", because: "expired" });
  });

  test("waits its own duration when the holder promised nothing", () => {
    expect(decide(lease({ holderIdentity: "other" }), 14_999)).toMatchObject({ kind: "wait" });
    expect(decide(lease({ holderIdentity: "other" }), 15_000)).toMatchObject({ kind: "acquire" });
  });

  test("does not believe the times that another machine wrote", () => {
    const stale = {
      holderIdentity: "other",
      leaseDurationSeconds: 15,
      renewTime: "1999-01-01T00:00:00.000000Z",
    };
    expect(decide(lease(stale))).toMatchObject({ kind: "wait", expiresInMs: 15_000 });
  });

  test("renews what is its own, however old", () => {
    expect(decide(lease({ holderIdentity: "me", leaseDurationSeconds: 1 }), 60_000)).toMatchObject({
      kind: "renew",
    });
  });
});

describe("a sighting", () => {
  test("begins anew with every change that we see ourselves, and only then", () => {
    const first = sight(undefined, lease({ holderIdentity: "other" }), 100);
    const same = sight(first, lease({ holderIdentity: "other" }), 200);
    const renewed = sight(same, lease({ holderIdentity: "other" }, "8"), 300);
    const recreated = sight(renewed, { metadata: { ...renewed.lease!.metadata, uid: "u2" } }, 400);
    expect([first, same, renewed, recreated].map(({ unchangedSinceMs }) => unchangedSinceMs)).toEqual([
      100, 100, 300, 400,
    ]);
  });
});

describe("the Lease that is written", () => {
  const input = {
    namespace: "default",
    name: "leader",
    identity: "me",
    leaseDurationMs: 15_000,
    wallMs: Date.UTC(2026, 0, 1),
  };

  test("names the new holder, counts the change and is based on what was seen", () => {
    const found = lease({ holderIdentity: "other", acquireTime: "then", leaseTransitions: 3 });
    expect(heldLease({ ...input, decision: { kind: "acquire", because: "expired", lease: found } })).toEqual({
      metadata: found.metadata,
      spec: {
        holderIdentity: "me",
        leaseDurationSeconds: 15,
        acquireTime: "2026-01-01T00:00:00.000000Z",
        renewTime: "2026-01-01T00:00:00.000000Z",
        leaseTransitions: 4,
      },
    });
  });

  test("keeps when leadership began while it is renewed", () => {
    const found = lease({ holderIdentity: "me", acquireTime: "then", leaseTransitions: 3 });
    expect(heldLease({ ...input, decision: { kind: "renew", lease: found } }).spec).toMatchObject({
      acquireTime: "then",
      leaseTransitions: 3,
    });
  });

  test("has no holder once it is released", () => {
    const { metadata, spec } = releasedLease(
      lease({ holderIdentity: "me", leaseTransitions: 3 }),
      input.wallMs,
    );
    expect(metadata.resourceVersion).toBe("7");
    expect(spec).not.toHaveProperty("holderIdentity");
    expect(spec).toMatchObject({ leaseTransitions: 3 });
  });
});
