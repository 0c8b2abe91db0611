import { describe, expect, test } from "@jest/globals";
import { untilAnswered } from "../../../local/traffic/persistence.ts";
import { OperationalError } from "../../../runtime/errors.ts";
import { silentLog } from "../../../runtime/log.ts";
import { createFakeClock } from "../../support/fake-clock.ts";

const unreachable = new OperationalError({ code: "database-unreachable", remedy: "retry", message: "gone" });
const missing = new OperationalError({
  code: "database-schema",
  remedy: "give-up",
  message: "no such table",
});
const refused = new OperationalError({ code: "database-statement", remedy: "give-up", message: "no" });

function start(
  work: (attempt: number, signal: AbortSignal) => Promise<string>,
  signal = new AbortController().signal,
) {
  const clock = createFakeClock();
  let attempts = 0;
  const outcome: { value?: string; error?: unknown } = {};
  const running = untilAnswered(
    { clock, log: silentLog, random: () => 1 },
    (limited) => {
      attempts += 1;
      return work(attempts, limited);
    },
    signal,
  ).then(
    (value) => {
      outcome.value = value;
    },
    (error: unknown) => {
      outcome.error = error;
    },
  );
  return { clock, outcome, running, attempts: () => attempts };
}

describe("a call that is repeated until it is answered", () => {
  test("outlives a server that is away for minutes", async () => {
    const call = start(async (attempt) => {
      if (attempt < 120) throw unreachable;
      return "done";
    });
    await call.clock.advance(150_000);
    expect(call.outcome).toEqual({ value: "done" });
    expect(call.clock.timerCount()).toBe(0);
  });

  test("has a deadline for each attempt", async () => {
    const call = start(async (attempt, signal) => {
      if (attempt > 1) return "done";
      const { promise, reject } = Promise.withResolvers<never>();
      signal.addEventListener("abort", () => {
        reject(unreachable);
      });
      return await promise;
    });
    await call.clock.advance(4_999);
    expect(call.attempts()).toBe(1);
    await call.clock.advance(1_000);
    expect(call.outcome).toEqual({ value: "done" });
  });

  test("gives up at once on what no repetition helps against", async () => {
    const call = start(async () => {
      throw refused;
    });
    await call.clock.settle();
    expect(call.outcome).toEqual({ error: refused });
    expect(call.attempts()).toBe(1);
  });

  test("gets over a procedure that a migration replaces, but not over one that stays missing", async () => {
    const brief = start(async (attempt) => {
      if (attempt < 4) throw missing;
      return "done";
    });
    await brief.clock.advance(10_000);
    expect(brief.outcome).toEqual({ value: "done" });
    const lasting = start(async () => {
      throw missing;
    });
    await lasting.clock.advance(10_000);
    expect(lasting.outcome).toEqual({ error: missing });
  });

  test("ends with the caller's reason when the caller gives up, also between two attempts", async () => {
    const stop = new AbortController();
    const call = start(async () => {
      throw unreachable;
    }, stop.signal);
    await call.clock.advance(10_000);
    const reason = new Error("the process ends");
    stop.abort(reason);
    await call.clock.settle();
    expect(call.outcome).toEqual({ error: reason });
    expect(call.clock.timerCount()).toBe(0);
  });
});
