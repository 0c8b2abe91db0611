import { afterEach, describe, expect, test } from "@jest/globals";
import type { ElectionLease } from "../../../runtime/kube/election.ts";
import { createLeaderElection, type LeaderElectionInput } from "../../../runtime/kube/leader-election.ts";
import { LEASES } from "../../../runtime/kube/resources.ts";
import { silentLog } from "../../../runtime/log.ts";
import { createFakeClock } from "../../support/fake-clock.ts";
import { createFakeKube } from "../../support/fake-kube.ts";

const ends: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

function setUp() {
  const clock = createFakeClock();
  const kube = createFakeKube();
  const leading = new Set<string>();
  /** Starts a candidate that leads until its signal aborts, and a moment longer. */
  const stand = (
    identity: string,
    input: Partial<LeaderElectionInput> & { readonly windDownMs?: number } = {},
  ) => {
    const { windDownMs = 0, ...fields } = input;
    const stop = new AbortController();
    const election = createLeaderElection({
      client: kube.client,
      clock,
      random: () => 0.5,
      log: silentLog,
      namespace: "default",
      name: "leader",
      identity,
      ...fields,
    });
    const run = election.run(
      {
        async onLead(signal) {
          leading.add(identity);
          await clock.sleep(Number.MAX_SAFE_INTEGER, signal).catch(() => undefined);
          if (windDownMs > 0) await clock.sleep(windDownMs, new AbortController().signal);
          leading.delete(identity);
        },
      },
      stop.signal,
    );
    const end = async (): Promise<void> => {
      stop.abort(new Error("stop"));
      await clock.advance(30_000);
      await run.catch(() => undefined);
    };
    ends.push(end);
    return { election, stop, run, end };
  };
  const lease = async (): Promise<ElectionLease | undefined> =>
    kube.client.get<ElectionLease>(
      LEASES,
      { namespace: "default", name: "leader" },
      new AbortController().signal,
    );
  return { clock, kube, leading, stand, lease };
}

describe("an election", () => {
  test("has one leader, who stays", async () => {
    const { clock, leading, stand } = setUp();
    const one = stand("one");
    await clock.advance(1_000);
    const two = stand("two");
    await clock.advance(120_000);
    expect([...leading]).toEqual(["one"]);
    expect([one.election.isLeading, two.election.isLeading]).toEqual([true, false]);
    expect(two.election.holder).toBe("one");
  });

  test("passes leadership on within a second when the leader is stopped", async () => {
    const { clock, leading, stand } = setUp();
    const one = stand("one");
    await clock.advance(1_000);
    stand("two");
    await clock.advance(5_000);
    one.stop.abort(new Error("SIGTERM"));
    await clock.advance(1_000);
    await one.run;
    expect([...leading]).toEqual(["two"]);
  });

  test("keeps the Lease while a stopped leader winds down, so that two never act", async () => {
    const { clock, leading, stand, lease } = setUp();
    const one = stand("one", { windDownMs: 3_000 });
    await clock.advance(1_000);
    stand("two");
    one.stop.abort(new Error("SIGTERM"));
    await clock.advance(2_900);
    expect([...leading]).toEqual(["one"]);
    expect((await lease())?.spec?.holderIdentity).toBe("one");
    await clock.advance(1_100);
    expect([...leading]).toEqual(["two"]);
  });

  test("ends the leadership of one who cannot renew, before another may take over", async () => {
    const { clock, kube, leading, stand } = setUp();
    stand("one");
    await clock.advance(1_000);
    kube.goAway();
    await clock.advance(8_000);
    expect([...leading]).toEqual(["one"]);
    await clock.advance(2_000);
    expect([...leading]).toEqual([]);
    kube.comeBack();
    await clock.advance(5_000);
    expect([...leading]).toEqual(["one"]);
  });

  test("passes a killed leader's Lease on once it has looked the same for its duration", async () => {
    const { clock, kube, leading, stand } = setUp();
    const signal = new AbortController().signal;
    const spec = { holderIdentity: "dead", leaseDurationSeconds: 15 };
    await kube.client.create(
      LEASES,
      { metadata: { namespace: "default", name: "leader" }, spec } as never,
      signal,
    );
    stand("two");
    await clock.advance(14_900);
    expect([...leading]).toEqual([]);
    await clock.advance(1_000);
    expect([...leading]).toEqual(["two"]);
  });

  test("takes leadership away when the Lease names another", async () => {
    const { clock, kube, leading, stand, lease } = setUp();
    stand("one");
    await clock.advance(1_000);
    const usurped = { ...(await lease())!, spec: { holderIdentity: "usurper", leaseDurationSeconds: 15 } };
    await kube.client.replace(LEASES, usurped, new AbortController().signal);
    await clock.advance(2_500);
    expect([...leading]).toEqual([]);
  });

  test("goes on when the answer to a renewal was lost, though the renewal was not", async () => {
    const { clock, kube, leading, stand, lease } = setUp();
    stand("one");
    await clock.advance(1_000);
    const renewed = { ...(await lease())!, spec: { ...(await lease())!.spec, renewTime: "later" } };
    await kube.client.replace(LEASES, renewed, new AbortController().signal);
    await clock.advance(60_000);
    expect([...leading]).toEqual(["one"]);
    expect((await lease())?.spec?.leaseTransitions).toBe(0);
  });

  test("never clears the Lease of a successor", async () => {
    const { clock, kube, stand, lease } = setUp();
    const one = stand("one");
    await clock.advance(1_000);
    const taken = { ...(await lease())!, spec: { holderIdentity: "two", leaseDurationSeconds: 15 } };
    await kube.client.replace(LEASES, taken, new AbortController().signal);
    one.stop.abort(new Error("SIGTERM"));
    await clock.advance(1_000);
    await one.run;
    expect((await lease())?.spec?.holderIdentity).toBe("two");
  });

  test("ends with an assertion when the leader's work does not end in time", async () => {
    const { clock, stand, lease } = setUp();
    const one = stand("one", { windDownMs: 60_000 });
    const outcome = one.run.then(
      () => "ended",
      (error: Error) => error.message,
    );
    await clock.advance(1_000);
    one.stop.abort(new Error("SIGTERM"));
    await clock.advance(5_000);
    expect(await outcome).toMatch(/did not end within 5000 ms/);
    expect((await lease())?.spec?.holderIdentity).toBe("one");
  });

  test("ends with what the leader's work failed with, the Lease released", async () => {
    const { clock, kube, lease } = setUp();
    const election = createLeaderElection({
      client: kube.client,
      clock,
      random: () => 0.5,
      log: silentLog,
      namespace: "default",
      name: "leader",
      identity: "one",
    });
    const onLead = (): Promise<void> => Promise.reject(new TypeError("x is undefined"));
    await expect(election.run({ onLead }, new AbortController().signal)).rejects.toThrow("x is undefined");
    expect((await lease())?.spec?.holderIdentity).toBeUndefined();
    expect(clock.timerCount()).toBe(0);
  });

  test("refuses settings that could not be safe", () => {
    const { stand } = setUp();
    expect(() => stand("one", { leaseDurationMs: 10_000 })).toThrow(/step down before/);
    expect(() => stand("one", { retryPeriodMs: 10_000 })).toThrow(/renew more often/);
  });
});
