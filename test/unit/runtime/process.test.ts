import { EventEmitter } from "node:events";
import { describe, expect, test } from "@jest/globals";
import { abortable, withDeadline } from "../../../runtime/abort.ts";
import { backoffMs } from "../../../runtime/backoff.ts";
import { OperationalError } from "../../../runtime/errors.ts";
import { silentLog } from "../../../runtime/log.ts";
import { createMetrics } from "../../../runtime/metrics.ts";
import { serveProbes } from "../../../runtime/probes.ts";
import { exitOnFailure, shutdownSignals } from "../../../runtime/shutdown.ts";
import { createFakeClock } from "../../support/fake-clock.ts";

describe("the signals of a process", () => {
  test("ask for an orderly end first, and for an immediate one the second time, whichever they are", () => {
    const source = new EventEmitter();
    const { draining, stopping } = shutdownSignals(source, silentLog);
    expect([draining.aborted, stopping.aborted]).toEqual([false, false]);
    source.emit("SIGINT");
    expect([draining.aborted, stopping.aborted]).toEqual([true, false]);
    source.emit("SIGTERM");
    expect([draining.aborted, stopping.aborted]).toEqual([true, true]);
  });
});

describe("a main that fails", () => {
  async function ending(failure: Error): Promise<{ readonly text: string; readonly code: number }> {
    const ended = Promise.withResolvers<number>();
    let text = "";
    const stderr = { write: (part: string) => (text += part) };
    const main = async (): Promise<void> => {
      throw failure;
    };
    exitOnFailure({ stderr, exit: ended.resolve }, main());
    return { code: await ended.promise, text };
  }

  test("for what the outside world did, ends with a sentence", async () => {
    const error = new OperationalError({
      code: "environment",
      remedy: "give-up",
      message: "PORT is not set",
    });
    expect(await ending(error)).toEqual({ code: 1, text: "PORT is not set\n" });
  });

  test("for a mistake of our own, ends with its stack", async () => {
    const { code, text } = await ending(new TypeError("it is undefined"));
    expect(code).toBe(1);
    expect(text).toContain("process.test.ts");
  });
});

describe("a deadline", () => {
  test("gives the work a signal that aborts with a typed reason", async () => {
    const clock = createFakeClock();
    const signal = new AbortController().signal;
    const running = withDeadline({ clock, what: "the work", limitMs: 100, signal }, (limited) =>
      clock.sleep(1_000, limited),
    );
    const outcome = expect(running).rejects.toMatchObject({ code: "deadline-exceeded", remedy: "retry" });
    await clock.advance(100);
    await outcome;
  });

  test("that is met leaves no timer behind", async () => {
    const clock = createFakeClock();
    const signal = new AbortController().signal;
    expect(await withDeadline({ clock, what: "the work", limitMs: 100, signal }, async () => 7)).toBe(7);
    expect(clock.timerCount()).toBe(0);
  });
});

test("a wait that is given up rejects with the reason", async () => {
  const abort = new AbortController();
  const waiting = expect(abortable(new Promise(() => undefined), abort.signal)).rejects.toThrow("enough");
  abort.abort(new Error("enough"));
  await waiting;
});

test("back-off doubles up to its limit, and never waits less than half of that", () => {
  const limits = { firstMs: 100, maxMs: 1_000 };
  expect([0, 1, 2, 3, 4, 99].map((attempt) => backoffMs(limits, attempt, () => 1))).toEqual([
    100, 200, 400, 800, 1_000, 1_000,
  ]);
  expect(backoffMs(limits, 2, () => 0)).toBe(200);
});

test("probes tell the truth, with the reason when it is bad", async () => {
  let trouble: string | undefined;
  const metrics = createMetrics();
  const naming = { name: "things_total", unit: "things", help: "Things." };
  metrics.countBy(naming, "kind", ["seen", "unseen"])("seen", 2);
  const probes = await serveProbes({
    port: 0,
    host: "127.0.0.1",
    isLive: () => trouble,
    isReady: () => "not listed yet",
    registry: metrics.registry,
  });
  const get = async (path: string) => {
    const answer = await fetch(`http://127.0.0.1:${probes.port}${path}`);
    return [answer.status, await answer.text()];
  };
  expect(await get("/livez")).toEqual([200, "ok\n"]);
  trouble = "the loop is stuck";
  expect(await get("/livez")).toEqual([503, "the loop is stuck\n"]);
  expect(await get("/readyz")).toEqual([503, "not listed yet\n"]);
  const [, text] = await get("/metrics");
  expect(text).toContain('things_total{kind="seen"} 2');
  expect(text).toContain('things_total{kind="unseen"} 0');
  expect((await get("/"))[0]).toBe(404);
  await probes.close();
});
