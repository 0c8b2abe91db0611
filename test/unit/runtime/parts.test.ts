import { describe, expect, test } from "@jest/globals";
import { waitForParts } from "../../../runtime/parts.ts";
import { createFakeClock } from "../../support/fake-clock.ts";
import { recordingLog } from "../../support/recording-log.ts";

function start() {
  const clock = createFakeClock();
  const { log, entries } = recordingLog();
  const ending = new AbortController();
  const [acts, rounds] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const parts = { acts: acts.promise, rounds: rounds.promise };
  const all = waitForParts(parts, { clock, log, signal: ending.signal });
  return { clock, entries, ending, acts, rounds, all };
}

describe("parts that work until the same signal", () => {
  test("are waited for without a word while nobody asks them to end, and when they end in time", async () => {
    const { clock, entries, ending, acts, rounds, all } = start();
    await clock.advance(60_000);
    ending.abort();
    acts.resolve();
    rounds.resolve();
    await all;
    await clock.advance(60_000);
    expect(entries).toEqual([]);
    expect(clock.timerCount()).toBe(0);
  });

  test("are named in the log when they have not ended a while after it", async () => {
    const { clock, entries, ending, acts, rounds, all } = start();
    ending.abort();
    rounds.resolve();
    await clock.advance(1_000);
    expect(entries).toMatchObject([{ message: "parts did not end yet", because: "acts" }]);
    acts.resolve();
    await all;
  });

  test("fail with the first of them", async () => {
    const { clock, ending, acts, all } = start();
    ending.abort();
    acts.reject(new Error("a mistake"));
    await expect(all).rejects.toThrow("a mistake");
    expect(clock.timerCount()).toBe(0);
  });
});
