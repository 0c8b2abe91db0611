import { expect, test } from "@jest/globals";
import { onceReachable } from "../../../db/once-reachable.ts";
import { OperationalError, type Remedy } from "../../../runtime/errors.ts";
import { createFakeClock } from "../../support/fake-clock.ts";

const never = new AbortController().signal;

function failure(remedy: Remedy, message = "connect ECONNREFUSED"): OperationalError {
  return new OperationalError({ code: "database-unreachable", remedy, message });
}

test("work waits for a database that is away, and says so now and then", async () => {
  const clock = createFakeClock();
  const lines: string[] = [];
  let isAway = true;
  const done = onceReachable(
    { clock, limitMs: 60_000, progress: (line) => lines.push(line) },
    async () => {
      if (isAway) throw failure("retry");
      return "done";
    },
    never,
  );
  await clock.advance(20_000);
  expect(lines).toEqual([
    "waiting for the database, 60 s more: connect ECONNREFUSED",
    "waiting for the database, 45 s more: connect ECONNREFUSED",
  ]);
  isAway = false;
  await clock.advance(1_000);
  expect(await done).toBe("done");
});

test("it gives up when the time is up, with what was wrong", async () => {
  const clock = createFakeClock();
  const outcome = expect(
    onceReachable(
      { clock, limitMs: 5_000, progress: () => undefined },
      () => Promise.reject(failure("retry")),
      never,
    ),
  ).rejects.toThrow("the database was away for 5 s: connect ECONNREFUSED");
  await clock.advance(10_000);
  await outcome;
});

test("it does not wait for what no time cures", async () => {
  const clock = createFakeClock();
  const lines: string[] = [];
  const input = { clock, limitMs: 60_000, progress: (line: string) => lines.push(line) };
  await expect(
    onceReachable(input, () => Promise.reject(failure("give-up", "Access denied for user 'root'")), never),
  ).rejects.toThrow("Access denied");
  expect(lines).toEqual([]);
});
