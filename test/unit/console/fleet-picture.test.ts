import { describe, expect, test } from "@jest/globals";
import { parseToken } from "../../../crds/token.ts";
import type { CityLook, FleetLook } from "../../../operator/cities/view.ts";
import { pictureOf, type KnownTiles, type ReplicaLook } from "../../../operator/console/fleet-picture.ts";
import { Moves } from "../../../operator/console/moves.ts";
import { cityOf } from "../../support/cities.ts";
import { leaseView, workerView } from "../../support/fleet.ts";

const replica: ReplicaLook = {
  replica: "operator-1",
  isLeading: false,
  trouble: undefined,
  authority: { kind: "ours", epoch: 2n },
};

function cityLook(name: string, fields: Partial<CityLook> = {}): CityLook {
  return { city: cityOf(name), periodMs: 5_000, lease: undefined, fence: undefined, ...fields };
}

function held(name: string, worker: string | undefined, token: string, because?: string): CityLook {
  return cityLook(name, { lease: leaseView({ worker, token: parseToken(token), because }) });
}

function look(cities: readonly CityLook[], databaseNowMs = 1_000): FleetLook {
  const workers = new Map([["worker-1", workerView("worker-1")]]);
  return { databaseNowMs, isDatabaseReachable: true, workers, cities };
}

describe("the fleet as the console shows it", () => {
  const seen = { moves: new Map(), watchedSinceMs: 500 };

  test("has a tile per city with its holder, token, period and last commit", () => {
    const fence = {
      city: "madrid",
      epoch: 2n,
      token: parseToken("7"),
      holder: "worker-1",
      tick: 4n,
      slotMs: 1,
      claimedAtMs: 1,
      committedAtMs: 900,
      changedAtMs: 900,
      dispatcherFailure: undefined,
    };
    const { head, items } = pictureOf(look([{ ...held("madrid", "worker-1", "7"), fence }]), replica, seen);
    expect(items.cities.get("madrid")).toMatchObject({
      worker: "worker-1",
      token: "7",
      periodMs: 5_000,
      committedAtMs: 900,
    });
    expect(head).toMatchObject({ replica: "operator-1", isLeading: false, authority: "ours", epoch: "2" });
    expect(items.workers.get("worker-1")).toMatchObject({ liveness: "live" });
  });

  test("says of a City that nobody has looked at yet that it waits for that", () => {
    const { items } = pictureOf(look([cityLook("madrid")]), replica, seen);
    expect(items.cities.get("madrid")).toMatchObject({
      worker: null,
      committedAtMs: null,
      reason: "Pending",
      message: "no operator has looked at it yet",
    });
  });

  test("says of a City that is not Ready why, and nothing of one that is", () => {
    const condition = {
      type: "Ready" as const,
      observedGeneration: 1,
      lastTransitionTime: "2026-01-01T00:00:00Z",
    };
    const withReady = (status: "True" | "False"): CityLook => {
      const ready = { ...condition, status, reason: "Stalled", message: "no tick" };
      return cityLook("madrid", { city: { ...cityOf("madrid"), status: { conditions: [ready] } } });
    };
    const messageOf = (city: CityLook): string | undefined =>
      pictureOf(look([city]), replica, seen).items.cities.get("madrid")?.message;
    expect(messageOf(withReady("False"))).toBe("no tick");
    expect(messageOf(withReady("True"))).toBe("");
  });
});

describe("a tile that was made before", () => {
  const seen = { moves: new Map(), watchedSinceMs: 500 };
  const tick = (committedAtMs: number) => ({
    city: "madrid",
    epoch: 2n,
    token: parseToken("7"),
    holder: "worker-1",
    tick: 4n,
    slotMs: 1,
    claimedAtMs: 1,
    committedAtMs,
    changedAtMs: 900,
    dispatcherFailure: undefined,
  });
  const city = held("madrid", "worker-1", "7");

  test.each<[string, CityLook]>([
    ["its last commit", { ...city, fence: tick(2_000) }],
    ["its Lease", { ...held("madrid", "worker-2", "8"), city: city.city, fence: tick(1_000) }],
    ["its City", { ...city, city: cityOf("madrid", { suspend: true }), fence: tick(1_000) }],
    ["its period", { ...city, periodMs: 1_000, fence: tick(1_000) }],
  ])("is made anew when %s changed", (_what, next) => {
    const known: KnownTiles = new WeakMap();
    pictureOf(look([{ ...city, fence: tick(1_000) }]), replica, seen, known);
    const { items } = pictureOf(look([next]), replica, seen, known);
    expect(items.cities).toEqual(pictureOf(look([next]), replica, seen).items.cities);
  });

  test("is the same one while the city is as it was", () => {
    const known: KnownTiles = new WeakMap();
    const tile = () =>
      pictureOf(look([{ ...city, fence: tick(1_000) }]), replica, seen, known).items.cities.get("madrid");
    expect(tile()).toBe(tile());
  });
});

describe("moves", () => {
  test("are none at the first look: who had what before is not known", () => {
    const moves = new Moves();
    moves.see(look([held("madrid", "worker-1", "7")]));
    expect([...moves.latest]).toEqual([]);
  });

  test("are seen with who had the city, who has it, the token and the cause", () => {
    const moves = new Moves();
    moves.see(look([held("madrid", "worker-1", "7", "new-city")], 1_000));
    moves.see(look([held("madrid", "worker-2", "8", "holder-gone")], 2_000));
    expect([...moves.latest.values()]).toEqual([
      { atMs: 2_000, city: "madrid", from: "worker-1", to: "worker-2", token: "8", because: "holder-gone" },
    ]);
  });

  test("are none when the Lease is written again for the same holder", () => {
    const moves = new Moves();
    moves.see(look([held("madrid", "worker-1", "7")]));
    moves.see(look([held("madrid", "worker-1", "8")]));
    expect(moves.latest.size).toBe(0);
  });

  test("tell of a city that is taken away, and of a new one that is given", () => {
    const moves = new Moves();
    moves.see(look([held("madrid", "worker-1", "7")]));
    moves.see(
      look([held("madrid", undefined, "8", "suspended"), held("paris", "worker-1", "9", "new-city")]),
    );
    expect(
      [...moves.latest.values()].map(({ city, from, to, because }) => [city, from, to, because]),
    ).toEqual([
      ["madrid", "worker-1", null, "suspended"],
      ["paris", null, "worker-1", "new-city"],
    ]);
  });

  test("are kept to the newest two hundred", () => {
    const moves = new Moves();
    moves.see(look([]));
    for (let round = 1; round <= 250; round++) {
      moves.see(look([held("madrid", `worker-${round % 2}`, String(round))]));
    }
    expect(moves.latest.size).toBe(200);
    expect([...moves.latest.values()].at(-1)?.token).toBe("250");
  });
});
