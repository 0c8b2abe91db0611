import { describe, expect, test } from "@jest/globals";
import { createFence, type CommitOutcome, type CommitRequest } from "../../../db/fence.ts";
import type { Database, Row, SqlValue } from "../../../db/pool.ts";
import { OperationalError, type Remedy } from "../../../runtime/errors.ts";
import { createFakeClock, type FakeClock } from "../../support/fake-clock.ts";
import { tokenOf } from "../../support/mysql.ts";

/** What the database does with one attempt. */
type Attempt =
  | { readonly kind: "answer"; readonly outcome: string }
  | { readonly kind: "refuse"; readonly code: string; readonly remedy: Remedy; readonly sent: boolean }
  | { readonly kind: "silence" }
  | { readonly kind: "bug" };

const answer = (outcome: string): Attempt => ({ kind: "answer", outcome });
const refuse = (code: string, remedy: Remedy, sent: boolean): Attempt => ({
  kind: "refuse",
  code,
  remedy,
  sent,
});
const unreachable = (sent: boolean): Attempt => refuse("database-unreachable", "retry", sent);
const silence: Attempt = { kind: "silence" };

const request: CommitRequest = {
  city: "madrid",
  epoch: 1n,
  token: tokenOf(10),
  tick: 5n,
  commitId: "0f8fad5b-d9cb-469f-a165-70867728950e",
  previousCommitId: "3f1c1c56-5d0f-4c5b-8b39-0d6d3fd2f3a1",
  slotMs: 1_000,
  periodMs: 1_000,
  snapshotTick: 4n,
  degraded: false,
  decisions: [],
};

/** A database that meets one attempt after the other as told, and for ever as the last one. */
function scripted(clock: FakeClock, script: readonly Attempt[]) {
  const sent: (readonly SqlValue[])[] = [];
  let attempts = 0;
  const call: Database["call"] = async (_, values, signal, onSend): Promise<readonly (readonly Row[])[]> => {
    const attempt = script[Math.min(attempts, script.length - 1)];
    attempts += 1;
    if (attempt === undefined || attempt.kind === "bug") throw new TypeError("a mistake of our own");
    if (attempt.kind !== "refuse" || attempt.sent) {
      onSend?.();
      sent.push(values);
    }
    if (attempt.kind === "answer") return [[{ outcome: attempt.outcome, dropped: null }]];
    if (attempt.kind === "refuse") throw new OperationalError({ ...attempt, message: attempt.code });
    await clock.sleep(Number.MAX_SAFE_INTEGER, signal).catch(() => undefined);
    throw new OperationalError({ code: "database-timeout", remedy: "retry", message: "timed out" });
  };
  const unused = async (): Promise<never> => {
    throw new Error("not used");
  };
  const database: Database = { query: unused, readConsistently: unused, call, close: async () => undefined };
  return { database, sent, attempts: () => attempts };
}

/** Commits against the script; time runs for `limitMs`, after which the caller's deadline has passed. */
async function commit(script: readonly Attempt[], limitMs = 60_000) {
  const clock = createFakeClock();
  const deadline = new AbortController();
  const { database, sent, attempts } = scripted(clock, script);
  const fence = createFence({ database, clock, random: () => 0.5 });
  const committing: Promise<CommitOutcome | { thrown: unknown }> = fence
    .commit(request, deadline.signal)
    .catch((error: unknown) => ({ thrown: error }));
  clock.schedule(limitMs, () => {
    deadline.abort(new Error("deadline"));
  });
  await clock.advance(limitMs + 1);
  const outcome = await committing;
  expect(clock.timerCount()).toBe(0);
  return { outcome, sent, attempts: attempts() };
}

describe("a commit", () => {
  test("is the same call under the same id at every repetition", async () => {
    const { outcome, sent } = await commit([
      unreachable(true),
      silence,
      unreachable(false),
      answer("repeated"),
    ]);
    expect(outcome).toEqual({ kind: "committed", dropped: [] });
    expect(sent).toHaveLength(3);
    expect(new Set(sent.map((values) => JSON.stringify(values.map(String)))).size).toBe(1);
  });

  test.each(["fenced", "outpaced"] as const)(
    "answered %s is settled, also after a lost answer",
    async (kind) => {
      expect((await commit([unreachable(true), answer(kind)])).outcome).toEqual({ kind });
    },
  );

  test("that was sent and never answered is unknown at the deadline", async () => {
    const { outcome, attempts } = await commit([silence], 2_500);
    expect(outcome).toMatchObject({ kind: "unknown" });
    expect(attempts).toBe(2);
  });

  test("stays in doubt whatever later attempts meet on their way", async () => {
    const { outcome } = await commit([unreachable(true), unreachable(false)], 5_000);
    expect(outcome).toMatchObject({ kind: "unknown" });
    const denied = await commit([unreachable(true), refuse("database-denied", "give-up", true)], 5_000);
    expect(denied.outcome).toMatchObject({ kind: "unknown" });
  });

  test("that could never be sent is thrown at the deadline: surely nothing happened", async () => {
    const { outcome, attempts } = await commit([unreachable(false)], 5_000);
    expect(outcome).toMatchObject({ thrown: { code: "database-unreachable" } });
    expect(attempts).toBeGreaterThan(5);
  });

  test("that the server rolled back for a deadlock is sent again", async () => {
    const { outcome } = await commit([refuse("database-deadlock", "retry", true), answer("committed")]);
    expect(outcome).toMatchObject({ kind: "committed" });
  });

  test("outlives the moment in which a migration replaces its procedure", async () => {
    const gone = refuse("database-schema", "give-up", true);
    expect((await commit([gone, gone, answer("committed")])).outcome).toMatchObject({ kind: "committed" });
  });

  test("is thrown when the procedure stays away", async () => {
    const { outcome, attempts } = await commit([refuse("database-schema", "give-up", true)]);
    expect(outcome).toMatchObject({ thrown: { code: "database-schema" } });
    expect(attempts).toBeGreaterThan(2);
  });

  test("that the server refuses for what is in it is thrown at once", async () => {
    const { outcome, attempts } = await commit([refuse("database-statement", "give-up", true)]);
    expect(outcome).toMatchObject({ thrown: { code: "database-statement" } });
    expect(attempts).toBe(1);
  });

  test("does not hide a mistake of our own", async () => {
    const { outcome } = await commit([{ kind: "bug" }]);
    expect(outcome).toMatchObject({ thrown: expect.any(TypeError) });
    const strange = await commit([answer("whatever")]);
    expect(strange.outcome).toMatchObject({ thrown: expect.any(TypeError) });
  });

  test("gives a slow server more time with every attempt", async () => {
    // 1 s, 2 s, 4 s, 8 s and the pauses between them.
    expect((await commit([silence], 16_500)).attempts).toBe(5);
  });
});
