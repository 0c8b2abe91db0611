import { expect, test } from "@jest/globals";
import * as fc from "fast-check";
import { createReflector } from "../../../runtime/kube/reflector.ts";
import { LEASES, type KubeObject } from "../../../runtime/kube/resources.ts";
import { silentLog } from "../../../runtime/log.ts";
import { createFakeClock } from "../../support/fake-clock.ts";
import { createFakeKube } from "../../support/fake-kube.ts";

const never = new AbortController().signal;
const name = fc.constantFrom("a", "b", "c", "d");
const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("create" as const), name }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("touch" as const), name }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("remove" as const), name }) },
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant("wait" as const), ms: fc.integer({ min: 0, max: 120_000 }) }),
  },
  fc.record({
    kind: fc.constantFrom(
      "goAway",
      "comeBack",
      "breakWatches",
      "endWatches",
      "muteWatches",
      "bookmark",
      "compact",
    ),
  }),
  fc.record({ kind: fc.constantFrom("backup" as const, "restore" as const) }),
);

test("a reflector has what the API server has in the end, and its reports add up to it, whatever broke in between", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60, size: "max" }), fc.integer(), async (steps, seed) => {
      const clock = createFakeClock();
      const kube = createFakeKube();
      let state = seed >>> 0;
      const random = (): number => {
        state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
        return state / 2 ** 32;
      };
      /** What somebody knows who only listens to the reports. */
      const reported = new Map<string, KubeObject>();
      const stop = new AbortController();
      const reflector = createReflector({
        client: kube.client,
        resource: LEASES,
        namespace: "default",
        clock,
        random,
        log: silentLog,
        onChange(change) {
          const { name } = change.object.metadata;
          const known = reported.get(name);
          if (change.kind === "added") expect(known).toBeUndefined();
          else expect(known?.metadata.uid).toBe(change.object.metadata.uid);
          if (change.kind === "deleted") reported.delete(name);
          else reported.set(name, change.object);
        },
      });
      const running = reflector.run(stop.signal);
      let restore: (() => void) | undefined;
      for (const action of steps) {
        const ref = { namespace: "default", name: "name" in action ? action.name : "" };
        if (action.kind === "create")
          await write(() => kube.elsewhere.create(LEASES, { metadata: ref }, never));
        else if (action.kind === "touch") {
          const patch = { spec: { holderIdentity: String(clock.monotonicMs()) } };
          await write(() => kube.elsewhere.patch(LEASES, ref, patch, never));
        } else if (action.kind === "remove") await write(() => kube.elsewhere.remove(LEASES, ref, never));
        else if (action.kind === "wait") await clock.advance(action.ms);
        else if (action.kind === "backup") restore = kube.backup();
        else if (action.kind === "restore") {
          // A restore needs all API servers to be down, and none has them up again in an instant.
          kube.goAway();
          await clock.settle();
          restore?.();
          kube.comeBack();
          await clock.advance(60_000);
        } else kube[action.kind as "goAway"]();
      }
      kube.comeBack();
      await clock.advance(300_000);
      const { items } = await kube.elsewhere.list(LEASES, { namespace: "default" }, never);
      const sorted = (objects: readonly KubeObject[]): KubeObject[] =>
        objects.toSorted((left, right) => (left.metadata.name < right.metadata.name ? -1 : 1));
      expect(sorted(reflector.list())).toEqual(items);
      expect(sorted([...reported.values()])).toEqual(items);
      stop.abort(new Error("the test is over"));
      await running;
      expect(clock.timerCount()).toBe(0);
    }),
    { numRuns: 200 },
  );
}, 60_000);

async function write(call: () => Promise<unknown>): Promise<void> {
  await call().catch((error: { code?: string }) => {
    expect(error.code).toMatch(/^kube-(not-found|already-exists)$/);
  });
}
