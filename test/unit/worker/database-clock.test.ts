import { expect, test } from "@jest/globals";
import { createDatabaseClock } from "../../../worker/database-clock.ts";
import { createFakeClock } from "../../support/fake-clock.ts";

const START_MS = 1_700_000_000_000;

test("before the first reading it is this machine's own clock", () => {
  const clock = createFakeClock(START_MS);
  expect(createDatabaseClock(clock).nowMs()).toBe(START_MS);
});

test("a reading counts as taken in the middle of its round trip", async () => {
  const clock = createFakeClock(START_MS);
  const databaseClock = createDatabaseClock(clock);
  databaseClock.observe({ databaseTimeMs: 5_000, sentAtMs: 0, receivedAtMs: 100 });
  await clock.advance(100);
  expect(databaseClock.nowMs()).toBe(5_050);
});

test("the quickest answer of the last minute is believed", async () => {
  const clock = createFakeClock(START_MS);
  const databaseClock = createDatabaseClock(clock);
  databaseClock.observe({ databaseTimeMs: 5_000, sentAtMs: 0, receivedAtMs: 4 });
  // A slow answer whose way back took longer than its way there.
  databaseClock.observe({ databaseTimeMs: 5_010, sentAtMs: 0, receivedAtMs: 100 });
  expect(databaseClock.nowMs()).toBe(4_998);
  await clock.advance(61_000);
  databaseClock.observe({ databaseTimeMs: 66_010, sentAtMs: 60_900, receivedAtMs: 61_000 });
  expect(databaseClock.nowMs()).toBe(66_060);
});

test("a database whose clock was set is followed at once", () => {
  const databaseClock = createDatabaseClock(createFakeClock(START_MS));
  databaseClock.observe({ databaseTimeMs: 5_000, sentAtMs: 0, receivedAtMs: 2 });
  databaseClock.observe({ databaseTimeMs: 3_600_000, sentAtMs: 0, receivedAtMs: 100 });
  expect(databaseClock.nowMs()).toBe(3_599_950);
});

test("a jump of this machine's own wall clock changes nothing", () => {
  const clock = createFakeClock(START_MS);
  const databaseClock = createDatabaseClock(clock);
  databaseClock.observe({ databaseTimeMs: 5_000, sentAtMs: 0, receivedAtMs: 0 });
  clock.jumpWall(3_600_000);
  expect(databaseClock.nowMs()).toBe(5_000);
});
