import { describe, expect, test } from "@jest/globals";
import { createDatabaseHealth } from "../../../db/health.ts";
import type { Database, Row } from "../../../db/pool.ts";
import { OperationalError } from "../../../runtime/errors.ts";
import { createFakeClock } from "../../support/fake-clock.ts";
import { recordingLog } from "../../support/recording-log.ts";

const FILES = ["protocol/001-tables.sql", "protocol/claim-city.sql"];

function denied(): never {
  throw new OperationalError({
    code: "database-denied",
    remedy: "give-up",
    message: "MySQL: Access denied for user 'dispatch_worker'",
  });
}

async function setUp(first: () => readonly Row[]) {
  const clock = createFakeClock();
  const { log, entries } = recordingLog();
  let answer = first;
  const query = async (): Promise<readonly Row[]> => answer();
  const database = { query } as unknown as Database;
  const health = createDatabaseHealth({ database, files: FILES, clock, log });
  const stop = new AbortController();
  const running = health.run(stop.signal);
  return {
    clock,
    health,
    messages: () => entries.map(({ message }) => message),
    answers: (next: () => readonly Row[]): void => {
      answer = next;
    },
    end: async (): Promise<void> => {
      stop.abort(new Error("the test ended"));
      await running;
    },
  };
}

const all = (): readonly Row[] => FILES.map((name) => ({ name }));

describe("a database", () => {
  test("counts as unusable until it has answered, and is usable when everything of this version is there", async () => {
    const { clock, health, end } = await setUp(all);
    expect(health.trouble()).toBe("the database has not answered yet");
    await clock.settle();
    expect(health.trouble()).toBeUndefined();
    await end();
  });

  test("with an older schema is unusable, and it is said what to do", async () => {
    const { clock, health, end } = await setUp(() => [{ name: "protocol/001-tables.sql" }]);
    await clock.settle();
    expect(health.trouble()).toBe(
      "the database lacks protocol/claim-city.sql: run the migration of this version",
    );
    await end();
  });

  test("with a newer schema is usable", async () => {
    const { clock, health, end } = await setUp(() => [...all(), { name: "protocol/003-later.sql" }]);
    await clock.settle();
    expect(health.trouble()).toBeUndefined();
    await end();
  });

  test("that refuses us is asked again, says why, and logs it once", async () => {
    const { clock, health, messages, answers, end } = await setUp(denied);
    await clock.advance(10_000);
    expect(health.trouble()).toContain("Access denied for user 'dispatch_worker'");
    answers(all);
    await clock.advance(1_000);
    expect(health.trouble()).toBeUndefined();
    expect(messages()).toEqual(["database found unusable", "database found usable"]);
    await end();
  });

  test("that hangs is unusable after two seconds", async () => {
    const clock = createFakeClock();
    const query: Database["query"] = (_sql, _values, signal) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener("abort", () => reject(signal.reason as Error));
      });
    const database = { query } as unknown as Database;
    const health = createDatabaseHealth({ database, files: FILES, clock, log: recordingLog().log });
    const stop = new AbortController();
    const running = health.run(stop.signal);
    await clock.advance(2_000);
    expect(health.trouble()).toBe("the look at the database took longer than 2000 ms");
    stop.abort(new Error("the test ended"));
    await running;
  });
});
