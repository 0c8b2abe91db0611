import { describe, expect, test } from "@jest/globals";
import * as fc from "fast-check";
import { OperationalError } from "../../../runtime/errors.ts";
import { KubeError } from "../../../runtime/kube/kube-error.ts";
import { createWorkQueue, type WorkQueueInput, type WorkQueueRun } from "../../../runtime/kube/work-queue.ts";
import { silentLog } from "../../../runtime/log.ts";
import { createFakeClock } from "../../support/fake-clock.ts";

const trouble = (fields: Partial<ConstructorParameters<typeof KubeError>[0]> = {}): KubeError =>
  new KubeError({ code: "kube-unavailable", remedy: "retry", message: "trouble", ...fields });

/** A running queue whose keys are processed by `process`, with what it did as [key, when it began]. */
function setUp(process: WorkQueueRun["process"], input: Partial<WorkQueueInput> = {}, concurrency = 2) {
  const clock = createFakeClock();
  const stop = new AbortController();
  const begun: [string, number][] = [];
  const queue = createWorkQueue({
    clock,
    random: () => 1,
    log: silentLog,
    ratePerSecond: 1_000_000,
    burst: 1_000_000,
    ...input,
  });
  const running = queue.run(
    {
      concurrency,
      async process(key, signal) {
        begun.push([key, clock.monotonicMs()]);
        return process(key, signal);
      },
    },
    stop.signal,
  );
  const end = async (): Promise<void> => {
    stop.abort(new Error("the test is over"));
    await running;
  };
  return { clock, queue, begun, running, end };
}

const done = (): Promise<"done"> => Promise.resolve("done");

describe("the work queue", () => {
  test("processes a key once, however often it was added before its turn", async () => {
    const { clock, queue, begun, end } = setUp(done);
    for (const key of ["a", "b", "a", "a"]) queue.add(key);
    expect(queue.length).toBe(2);
    await clock.settle();
    expect(begun.map(([key]) => key)).toEqual(["a", "b"]);
    expect(queue.length).toBe(0);
    await end();
  });

  test("processes a key again that was added while it was being processed, but never twice at once", async () => {
    const release = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    let underWay = 0;
    let underWayMax = 0;
    let turn = 0;
    const { clock, queue, begun, end } = setUp(async () => {
      underWayMax = Math.max(underWayMax, ++underWay);
      await release[turn++]!.promise;
      underWay -= 1;
      return "done";
    });
    queue.add("a");
    await clock.settle();
    queue.add("a");
    queue.add("a");
    await clock.settle();
    expect(begun).toHaveLength(1);
    release[0]!.resolve();
    await clock.settle();
    expect(begun).toHaveLength(2);
    release[1]!.resolve();
    await clock.settle();
    expect(begun).toHaveLength(2);
    expect(underWayMax).toBe(1);
    await end();
  });

  test("processes no more keys at once than it was told", async () => {
    const gate = Promise.withResolvers<"done">();
    const { clock, queue, begun, end } = setUp(() => gate.promise, {}, 3);
    for (let key = 0; key < 10; key++) queue.add(String(key));
    await clock.settle();
    expect(begun).toHaveLength(3);
    gate.resolve("done");
    await clock.settle();
    expect(begun).toHaveLength(10);
    await end();
  });

  test("begins keys at its rate after the burst", async () => {
    const { clock, queue, begun, end } = setUp(done, { ratePerSecond: 10, burst: 2 });
    for (const key of ["a", "b", "c", "d"]) queue.add(key);
    await clock.advance(1_000);
    expect(begun.map(([key, atMs]) => [key, Math.round(atMs)])).toEqual([
      ["a", 0],
      ["b", 0],
      ["c", 100],
      ["d", 200],
    ]);
    await end();
  });

  test("tries a failed key again with a wait that doubles up to its limit, and starts over after a success", async () => {
    let failuresLeft = 5;
    const { clock, queue, begun, end } = setUp(
      () => (failuresLeft-- > 0 ? Promise.reject(trouble()) : done()),
      { backoff: { firstMs: 5, maxMs: 40 } },
    );
    queue.add("a");
    await clock.advance(1_000);
    expect(begun.map(([, atMs]) => atMs)).toEqual([0, 5, 15, 35, 75, 115]);
    failuresLeft = 1;
    queue.add("a");
    await clock.advance(1_000);
    expect(begun.slice(6).map(([, atMs]) => atMs)).toEqual([1_000, 1_005]);
    await end();
  });

  test("waits as long as the API server asks", async () => {
    let failuresLeft = 1;
    const { clock, queue, begun, end } = setUp(() =>
      failuresLeft-- > 0 ? Promise.reject(trouble({ code: "kube-throttled", retryAfterMs: 3_000 })) : done(),
    );
    queue.add("a");
    await clock.advance(10_000);
    expect(begun.map(([, atMs]) => atMs)).toEqual([0, 3_000]);
    await end();
  });

  test("processes a key again after the time that its processing asked for; of several, the earliest counts", async () => {
    let first = true;
    const { clock, queue, begun, end } = setUp(() => {
      const result = first ? ({ againAfterMs: 500 } as const) : "done";
      first = false;
      return Promise.resolve(result);
    });
    queue.add("a");
    await clock.settle();
    queue.addAfter("a", 300);
    queue.addAfter("a", 900);
    await clock.advance(2_000);
    expect(begun.map(([, atMs]) => atMs)).toEqual([0, 300]);
    await end();
  });

  test("forgets a key that is gone, with its failures and what was planned for it", async () => {
    const { clock, queue, begun, end } = setUp(() => Promise.reject(trouble()));
    queue.add("a");
    await clock.settle();
    queue.forget("a");
    await clock.advance(60_000);
    expect(begun).toHaveLength(1);
    await end();
  });

  test("counts a key that takes too long as failed, and ends its processing", async () => {
    let reason: unknown;
    const { clock, queue, begun, end } = setUp(
      (_key, signal) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener("abort", () => {
            reason = signal.reason;
            reject(signal.reason as Error);
          });
        }),
      { processLimitMs: 1_000 },
    );
    queue.add("a");
    await clock.advance(1_100);
    expect(reason).toMatchObject({ code: "deadline-exceeded" });
    expect(begun.length).toBeGreaterThan(1);
    await end();
  });

  test("ends with our own mistakes, after what was under way", async () => {
    let aborted = false;
    const { clock, queue, running } = setUp((key, signal) =>
      key === "bug"
        ? Promise.reject(new TypeError("x is undefined"))
        : new Promise((_resolve, reject) => {
            signal.addEventListener("abort", () => {
              aborted = true;
              reject(signal.reason as Error);
            });
          }),
    );
    queue.add("slow");
    queue.add("bug");
    await expect(running).rejects.toThrow("x is undefined");
    expect(aborted).toBe(true);
    expect(clock.timerCount()).toBe(0);
  });

  test("leaves no timer behind when it is stopped", async () => {
    const { clock, queue, end } = setUp(() => Promise.reject(trouble()));
    queue.add("a");
    queue.addAfter("b", 10_000);
    await clock.settle();
    await end();
    expect(clock.timerCount()).toBe(0);
  });

  test("processes every key after its last addition, whatever happens in between", async () => {
    const operation = fc.record({
      key: fc.constantFrom("a", "b", "c"),
      afterMs: fc.integer({ min: 0, max: 20 }),
      takesMs: fc.integer({ min: 0, max: 30 }),
      outcome: fc.constantFrom("done", "again", "fails"),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(operation, { minLength: 1, maxLength: 40, size: "max" }),
        async (operations) => {
          let next = 0;
          const underWay = new Set<string>();
          const { clock, queue, begun, end } = setUp(
            async (key, signal) => {
              expect(underWay.has(key)).toBe(false);
              underWay.add(key);
              const { takesMs, outcome } = operations[next++ % operations.length]!;
              await clock.sleep(takesMs, signal);
              underWay.delete(key);
              if (next > 200 || outcome === "done") return "done";
              if (outcome === "again") return { againAfterMs: 3 };
              throw new OperationalError({ code: "x", remedy: "retry", message: "x" });
            },
            { ratePerSecond: 1_000, burst: 5 },
          );
          const addedMs = new Map<string, number>();
          for (const { key, afterMs } of operations) {
            await clock.advance(afterMs);
            queue.add(key);
            addedMs.set(key, clock.monotonicMs());
          }
          await clock.advance(200_000);
          for (const [key, atMs] of addedMs) {
            expect(begun.some(([begunKey, begunMs]) => begunKey === key && begunMs >= atMs)).toBe(true);
          }
          expect(queue.length).toBe(0);
          await end();
        },
      ),
      { numRuns: 30 },
    );
  });
});
