import { expect, test } from "@jest/globals";
import { encodeAssignment, type Lease } from "../../../crds/lease.ts";
import { CITIES, type City } from "../../../crds/city.ts";
import { act } from "../../../operator/cities/act.ts";
import type { Decision } from "../../../operator/cities/place.ts";
import { LEASES } from "../../../runtime/kube/resources.ts";
import { measurePlacer } from "../../bench/placement/measure.ts";
import { product } from "../../bench/placement/placers.ts";
import { cityOf, taskOf } from "../../support/cities.ts";
import { createFakeClock } from "../../support/fake-clock.ts";
import { createFakeKube } from "../../support/fake-kube.ts";
import { cityView, leaseView } from "../../support/fleet.ts";

/** What may not grow without somebody deciding so. Counts, no times: they are the same on every machine. */

const never = new AbortController().signal;

async function requestsOf(holder: string | undefined, decision: Decision): Promise<readonly string[]> {
  const kube = createFakeKube();
  const finalizers = decision.kind === "adopt" ? [] : (cityOf("madrid").metadata.finalizers ?? []);
  const city = await kube.elsewhere.create<City>(CITIES, cityOf("madrid", {}, { finalizers }), never);
  const task = taskOf(city);
  const lease =
    holder === undefined
      ? undefined
      : await kube.elsewhere.create<Lease>(
          LEASES,
          encodeAssignment({ city, worker: holder, task, replaces: undefined, nowMs: 0 }),
          never,
        );
  const view = cityView("madrid", {
    city,
    lease: holder === undefined ? undefined : leaseView({ worker: holder, task, cityUid: city.metadata.uid }),
  });
  const seal = (): Promise<never> => Promise.reject(new Error("nothing is to be sealed"));
  await act(
    { client: kube.client, cities: CITIES, clock: createFakeClock(), seal },
    { view, decision, lease },
    never,
  );
  return kube.calls.map((call) => call.split(" ")[0] ?? "");
}

test("a move is one write to the API server and no read", async () => {
  expect(await requestsOf("w1", { kind: "assign", worker: "w2", because: "holder-draining" })).toEqual([
    "replace",
  ]);
});

test("a new City costs one write for the finalizer, then one read as a proof and one write for its Lease", async () => {
  expect(await requestsOf(undefined, { kind: "adopt" })).toEqual(["patch"]);
  expect(await requestsOf(undefined, { kind: "assign", worker: "w1", because: "new-city" })).toEqual([
    "get",
    "create",
  ]);
});

test("the loss of workers moves their cities and nothing else, a new worker takes few, and loads stay even", () => {
  const { initial, join, leave, leaveMany, reweigh } = measurePlacer(
    product,
    { cities: 1_000, workers: 20 },
    1,
  );
  expect([leave.moves, leaveMany.moves]).toEqual([leave.movesMin, leaveMany.movesMin]);
  expect(join.moves).toBeLessThanOrEqual(9);
  expect(reweigh.moves).toBeLessThanOrEqual(2);
  expect(initial.imbalance).toBeLessThanOrEqual(1.01);
  for (const { imbalance } of [join, leave, leaveMany, reweigh]) expect(imbalance).toBeLessThanOrEqual(1.25);
});
