import { describe, expect, test } from "@jest/globals";
import { abortError, databaseError, surelyChangedNothing } from "../../../db/database-error.ts";
import { DeadlineExceeded } from "../../../runtime/abort.ts";
import type { OperationalError } from "../../../runtime/errors.ts";

const fromServer = (errno: number, sqlState: string): Error =>
  Object.assign(new Error("said"), { errno, sqlState });
const fromNetwork = (code: string): Error => Object.assign(new Error("broke"), { code, fatal: true });

describe("what MySQL and the driver say", () => {
  test.each([
    ["a deadlock", fromServer(1213, "40001"), "database-deadlock", true],
    ["a lock that never came", fromServer(1205, "HY000"), "database-deadlock", true],
    ["a wrong password", fromServer(1045, "28000"), "database-denied", true],
    ["a procedure that one may not execute", fromServer(1370, "42000"), "database-denied", true],
    ["a missing table", fromServer(1146, "42S02"), "database-schema", true],
    ["a missing procedure", fromServer(1305, "42000"), "database-schema", true],
    ["a duplicate key", fromServer(1062, "23000"), "database-statement", true],
    ["a signal of a procedure", fromServer(1644, "45000"), "database-statement", true],
    ["a wrong UUID", fromServer(1411, "HY000"), "database-statement", true],
    ["too many connections", fromServer(1040, "08004"), "database-unreachable", false],
    ["too many connections of one account", fromServer(1226, "42000"), "database-unreachable", false],
    ["a server that shuts down", fromServer(1053, "08S01"), "database-unreachable", false],
    ["a killed statement", fromServer(1317, "70100"), "database-unreachable", false],
    ["a read-only server after a failover", fromServer(1290, "HY000"), "database-unreachable", false],
    ["a refused connection", fromNetwork("ECONNREFUSED"), "database-unreachable", false],
    ["a lost connection", fromNetwork("PROTOCOL_CONNECTION_LOST"), "database-unreachable", false],
    ["a full queue", new Error("Queue limit reached."), "database-timeout", false],
  ])("%s", (_, error, code, changedNothing) => {
    const translated = databaseError(error);
    expect(translated).toMatchObject({ code, cause: error });
    expect(surelyChangedNothing(translated as OperationalError)).toBe(changedNothing);
  });

  test("tells to run the migration when the schema is missing", () => {
    expect(databaseError(fromServer(1305, "42000"))).toMatchObject({
      message: expect.stringContaining("migrate"),
    });
  });

  test("leaves our own mistakes and what is translated already alone", () => {
    const mistake = new TypeError("undefined is not a function");
    expect(databaseError(mistake)).toBe(mistake);
    const translated = databaseError(fromNetwork("EPIPE"));
    expect(databaseError(translated)).toBe(translated);
  });
});

describe("why a wait was given up", () => {
  test("is a timeout for every kind of deadline", () => {
    expect(abortError(AbortSignal.abort(new DeadlineExceeded("the tick", 5)))).toMatchObject({
      code: "database-timeout",
      remedy: "retry",
    });
    const timeout = new DOMException("too late", "TimeoutError");
    expect(abortError(AbortSignal.abort(timeout))).toMatchObject({
      code: "database-timeout",
      cause: timeout,
    });
  });

  test("is the caller's own reason for a cancellation", () => {
    const reason = new Error("the tenure ended");
    expect(abortError(AbortSignal.abort(reason))).toBe(reason);
  });
});
