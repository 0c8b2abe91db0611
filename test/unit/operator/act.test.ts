import { describe, expect, test } from "@jest/globals";
import { CITIES, SEAL_FINALIZER, type City, type TaskSpec } from "../../../crds/city.ts";
import { cityLeaseName, encodeAssignment, type Lease } from "../../../crds/lease.ts";
import type { SealOutcome } from "../../../db/seal.ts";
import { act } from "../../../operator/cities/act.ts";
import { LEASES } from "../../../runtime/kube/resources.ts";
import { cityOf, taskOf } from "../../support/cities.ts";
import { createFakeClock } from "../../support/fake-clock.ts";
import { createFakeKube, type FakeKube } from "../../support/fake-kube.ts";
import { cityView, leaseView } from "../../support/fleet.ts";

const never = new AbortController().signal;
const ref = { namespace: "default", name: "madrid" };

/** A cluster with the City, and the operator's copy of it from that moment. */
async function cluster() {
  const kube = createFakeKube();
  const city = await kube.elsewhere.create<City>(CITIES, cityOf("madrid"), never);
  const assign = (
    input: { readonly lease?: Lease; readonly worker?: string; readonly task?: TaskSpec } = {},
  ) =>
    act(
      {
        client: kube.client,
        cities: CITIES,
        clock: createFakeClock(),
        seal: () => Promise.reject(new Error("nothing is to be sealed")),
      },
      {
        view: cityView("madrid", {
          city,
          lease:
            input.lease === undefined
              ? undefined
              : leaseView({ worker: input.worker, task: input.task, cityUid: city.metadata.uid }),
        }),
        decision: { kind: "assign", worker: "w1", because: "new-city" },
        lease: input.lease,
      },
      never,
    );
  const lease = () =>
    kube.elsewhere.get<Lease>(LEASES, { namespace: "default", name: cityLeaseName("madrid") }, never);
  const written = (worker: string | undefined) =>
    kube.elsewhere.create<Lease>(
      LEASES,
      encodeAssignment({ city, worker, task: taskOf(city), replaces: undefined, nowMs: 0 }),
      never,
    );
  const remove = async () => {
    await kube.elsewhere.patch(CITIES, ref, { metadata: { finalizers: [] } }, never);
    await kube.elsewhere.remove(CITIES, ref, never);
  };
  return { kube, city, assign, lease, written, remove };
}

describe("an assignment of a city that nobody holds", () => {
  test("is written when the City is still there as we see it", async () => {
    const { assign, lease } = await cluster();
    expect(await assign()).toMatchObject({ kind: "assigned", isMove: false });
    expect((await lease())?.spec?.holderIdentity).toBe("w1");
    expect((await lease())?.metadata.annotations).toMatchObject({ "dispatch.city/because": "new-city" });
  });

  test("is not written for a City that was deleted behind our back", async () => {
    const { remove, assign, lease } = await cluster();
    await remove();
    await expect(assign()).rejects.toMatchObject({ code: "city-stale", remedy: "refresh" });
    expect(await lease()).toBeUndefined();
  });

  test("is not written for another City of the same name", async () => {
    const { kube, remove, assign, lease } = await cluster();
    await remove();
    await kube.elsewhere.create<City>(CITIES, cityOf("madrid"), never);
    await expect(assign()).rejects.toMatchObject({ code: "city-stale" });
    expect(await lease()).toBeUndefined();
  });

  test("is not written for a City that is being deleted, or was suspended", async () => {
    for (const change of [
      { metadata: { deletionTimestamp: "2026-01-01T00:00:00Z", finalizers: ["x"] } },
      { metadata: { generation: 2 }, spec: { suspend: true } },
      // Under a generation that another specification had in a history that is lost.
      { spec: { suspend: true } },
    ]) {
      const { kube, assign, lease, written } = await cluster();
      const unheld = await written(undefined);
      await kube.elsewhere.patch(CITIES, ref, change, never);
      await expect(assign({ lease: unheld })).rejects.toMatchObject({ code: "city-stale" });
      expect((await lease())?.spec?.holderIdentity).toBeUndefined();
    }
  });
});

describe("a City that is deleted where another cluster is the authority", () => {
  const deleting = { metadata: { deletionTimestamp: "2026-01-01T00:00:00Z", finalizers: [SEAL_FINALIZER] } };

  async function removeWith(outcome: SealOutcome) {
    const { kube, written } = await cluster();
    const lease = await written(undefined);
    const city = await kube.elsewhere.patch<City>(CITIES, ref, deleting, never);
    const sealed: string[] = [];
    const done = act(
      {
        client: kube.client,
        cities: CITIES,
        clock: createFakeClock(),
        seal: async (name, token) => {
          sealed.push(`${name} ${token}`);
          return outcome;
        },
      },
      {
        view: cityView("madrid", { city, lease: leaseView() }),
        decision: { kind: "remove", because: "beyond-us" },
        lease,
      },
      never,
    );
    return { kube, done, sealed };
  }

  const isGone = async ({ kube }: { readonly kube: FakeKube }) =>
    (await kube.elsewhere.get(CITIES, ref, never)) === undefined;

  test("goes when the database says that the authority is foreign", async () => {
    const removal = await removeWith({ kind: "foreign" });
    expect(await removal.done).toEqual({ kind: "removed" });
    expect(removal.sealed).toEqual(["madrid 7"]);
    expect(await isGone(removal)).toBe(true);
  });

  test("is sealed before it goes when the authority has become ours meanwhile", async () => {
    const removal = await removeWith({ kind: "sealed", epoch: 2n });
    expect(await removal.done).toEqual({ kind: "removed" });
    expect(removal.sealed).toEqual(["madrid 7"]);
  });

  test("stays when the authority is ours and its fence is ahead", async () => {
    const removal = await removeWith({ kind: "behind" });
    await expect(removal.done).rejects.toMatchObject({ code: "seal-behind", remedy: "refresh" });
    expect(await isGone(removal)).toBe(false);
  });
});

test("a deleted City does not go while it has a Lease that was not seen", async () => {
  const { kube, written } = await cluster();
  await written("w1");
  const deletionTimestamp = "2026-01-01T00:00:00Z";
  const city = await kube.elsewhere.patch<City>(
    CITIES,
    ref,
    { metadata: { deletionTimestamp, finalizers: [SEAL_FINALIZER] } },
    never,
  );
  const removal = act(
    {
      client: kube.client,
      cities: CITIES,
      clock: createFakeClock(),
      seal: () => Promise.reject(new Error("nothing is to be sealed")),
    },
    {
      view: cityView("madrid", { city }),
      decision: { kind: "remove", because: "sealed" },
      lease: undefined,
    },
    never,
  );
  await expect(removal).rejects.toMatchObject({ code: "lease-stale", remedy: "refresh" });
});

describe("an assignment of a held city", () => {
  test("needs no further question: its Lease's precondition is proof", async () => {
    const { kube, assign, written } = await cluster();
    const held = await written("w0");
    await assign({ lease: held, worker: "w0" });
    expect(kube.calls).toEqual(["replace leases/city-madrid"]);
  });

  test("is doubted when its Lease was written for a later generation of the City", async () => {
    const { kube, city, assign, written } = await cluster();
    const held = await written("w0");
    const later = { ...taskOf(city), generation: 2 };
    await kube.elsewhere.patch(CITIES, ref, { metadata: { generation: 2 } }, never);
    await expect(assign({ lease: held, worker: "w0", task: later })).rejects.toMatchObject({
      code: "city-stale",
    });
    // Unless etcd went back, and the City with it.
    await kube.elsewhere.patch(CITIES, ref, { metadata: { generation: 1 } }, never);
    expect(await assign({ lease: held, worker: "w0", task: later })).toMatchObject({ kind: "assigned" });
  });
});
