import { describe, expect, test } from "@jest/globals";
import * as fc from "fast-check";
import { formatDuration, parseDuration } from "../../../crds/duration.ts";
import {
  decodeAssignment,
  decodeHeartbeat,
  encodeAssignment,
  encodeHeartbeat,
  microTime,
  shortWorkerId,
  type Heartbeat,
  type Lease,
} from "../../../crds/lease.ts";
import { compareEpochTokens, parseToken } from "../../../crds/token.ts";
import { cityOf, taskOf } from "../../support/cities.ts";

describe("a token", () => {
  test.each(["0", "-1", "01", "1.0", "abc", "", " 1", "0x10"])("is not %p", (text) => {
    expect(() => parseToken(text)).toThrow(/positive decimal.*1\.35/);
  });

  test("is exact beyond what a number can hold", () => {
    expect(parseToken("9007199254740993")).toBe(9007199254740993n);
  });

  test("larger than MySQL's BIGINT UNSIGNED is a clear error", () => {
    expect(parseToken("18446744073709551615")).toBe(18446744073709551615n);
    expect(() => parseToken("18446744073709551616")).toThrow(/BIGINT UNSIGNED/);
  });

  test("is compared after its epoch", () => {
    const pair = (epoch: bigint, token: string) => ({ epoch, token: parseToken(token) });
    expect(compareEpochTokens(pair(2n, "1"), pair(1n, "9"))).toBe(1);
    expect(compareEpochTokens(pair(1n, "9"), pair(1n, "10"))).toBe(-1);
    expect(compareEpochTokens(pair(1n, "9"), pair(1n, "9"))).toBe(0);
  });
});

describe("the traceparent of a City Lease", () => {
  const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  const written = (input: Partial<Parameters<typeof encodeAssignment>[0]>): Lease => {
    const city = cityOf("madrid");
    const task = taskOf(city);
    const lease = encodeAssignment({ city, worker: "w", task, replaces: undefined, nowMs: 0, ...input });
    return { ...lease, metadata: { ...lease.metadata, resourceVersion: "7" } };
  };
  const withText = (text: string): Lease => {
    const lease = written({});
    return { ...lease, metadata: { ...lease.metadata, annotations: { "dispatch.city/traceparent": text } } };
  };

  test("comes back from the Lease, and is there only where the write is traced", () => {
    expect(decodeAssignment(written({ traceparent })).traceparent).toBe(traceparent);
    expect(Object.keys(written({}).metadata.annotations ?? {})).toEqual(["dispatch.city/task"]);
    expect(decodeAssignment(written({})).traceparent).toBeUndefined();
  });

  test("is that of the last write, never of one before", () => {
    const first = written({ traceparent });
    expect(decodeAssignment(written({ replaces: first })).traceparent).toBeUndefined();
  });

  test.each([
    "",
    "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331",
    "00-00000000000000000000000000000000-b7ad6b7169203331-01",
    "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
    "00-0AF7651916CD43DD8448EB211C80319C-B7AD6B7169203331-01",
    "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01 ",
  ])("that is none counts as none: %p", (text) => {
    expect(decodeAssignment(withText(text)).traceparent).toBeUndefined();
  });
});

describe("a duration", () => {
  test.each([
    ["200ms", 200],
    ["5s", 5_000],
    ["1m30s", 90_000],
    ["2h", 7_200_000],
  ])("%s is %i ms", (text, durationMs) => {
    expect(parseDuration(text)).toBe(durationMs);
  });

  test.each(["5", "5 s", "1.5s", "", "s", "-5s"])("is not %p, and the error says what to write", (text) => {
    expect(() => parseDuration(text)).toThrow(/write it like "200ms", "5s" or "1m30s"/);
  });

  test("comes back from its text", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 40 }), (durationMs) => {
        expect(parseDuration(formatDuration(durationMs))).toBe(durationMs);
      }),
    );
  });
});

describe("a City Lease", () => {
  const city = cityOf("madrid");
  const encode = (worker: string | undefined, replaces?: Lease, nowMs = 1_000) =>
    encodeAssignment({ city, worker, task: taskOf(city), replaces, nowMs });
  const stored = (lease: Lease, resourceVersion: string): Lease => ({
    ...lease,
    metadata: { ...lease.metadata, resourceVersion, uid: "lease-uid" },
  });

  test("carries the city's setbacks", () => {
    const lease = encodeAssignment({
      city: cityOf("madrid"),
      worker: "w1",
      task: taskOf(cityOf("madrid")),
      setbacks: { setbacks: 3, deaths: 1 },
      replaces: undefined,
      nowMs: 1_000,
    });
    expect(decodeAssignment(stored(lease, "42"))).toMatchObject({ setbacks: 3, deaths: 1 });
    const annotations = { "dispatch.city/setbacks": "-1", "dispatch.city/deaths": "many" };
    const spoiled = { ...lease, metadata: { ...lease.metadata, annotations } };
    expect(decodeAssignment(stored(spoiled, "42"))).toMatchObject({ setbacks: 0, deaths: 0 });
  });

  test("says what was encoded", () => {
    expect(decodeAssignment(stored(encode("w1"), "42"))).toEqual({
      city: "madrid",
      worker: "w1",
      setbacks: 0,
      deaths: 0,
      token: 42n,
      task: taskOf(city),
      since: "1970-01-01T00:00:01.000000Z",
    });
  });

  test("of nobody carries no worker's label, so no worker's watch shows it", () => {
    const lease = encode(undefined);
    expect(lease.metadata.labels).not.toHaveProperty(["dispatch.city/worker"]);
    expect(decodeAssignment(stored(lease, "42")).worker).toBeUndefined();
  });

  test("carries uid and resourceVersion of the one it replaces, as the preconditions of its write", () => {
    expect(encode("w2", stored(encode("w1"), "42")).metadata).toMatchObject({
      uid: "lease-uid",
      resourceVersion: "42",
    });
    expect(encode("w1").metadata).not.toHaveProperty("resourceVersion");
    expect(encode("w1").metadata).not.toHaveProperty("uid");
  });

  test("keeps the time of the move and counts it only when the worker changes", () => {
    const first = stored(encode("w1"), "42");
    expect(encode("w1", first, 9_000).spec).toMatchObject({
      acquireTime: microTime(1_000),
      leaseTransitions: 0,
    });
    expect(encode("w2", first, 9_000).spec).toMatchObject({
      acquireTime: microTime(9_000),
      leaseTransitions: 1,
    });
  });

  test("says why the city came to its worker, until it goes to another", () => {
    const write = (worker: string | undefined, because: string, replaces?: Lease): Lease =>
      stored(encodeAssignment({ city, worker, task: taskOf(city), because, replaces, nowMs: 1_000 }), "42");
    const first = write("w1", "holder-gone");
    expect(decodeAssignment(first).because).toBe("holder-gone");
    expect(decodeAssignment(write("w1", "spec-changed", first)).because).toBe("holder-gone");
    expect(decodeAssignment(write("w2", "balance", first)).because).toBe("balance");
    expect(decodeAssignment(write(undefined, "suspended", first)).because).toBe("suspended");
    expect(decodeAssignment(stored(encode("w1"), "42")).because).toBeUndefined();
  });

  test("whose task was damaged counts as one without a task", () => {
    const lease = stored(encode("w1"), "42");
    const damaged = { ...lease, metadata: { ...lease.metadata, annotations: { "dispatch.city/task": "{" } } };
    expect(decodeAssignment(damaged).task).toBeUndefined();
  });
});

describe("a worker Lease", () => {
  const heartbeat: Heartbeat = {
    worker: "w1-abc",
    pod: "w1",
    pool: "default",
    zone: "a",
    version: "1.2.3",
    capacity: 100,
    draining: true,
    databaseReachable: false,
    intervalMs: 1_500,
    since: "2026-01-01T00:00:00.000000Z",
  };
  const lease = encodeHeartbeat({
    heartbeat,
    namespace: "default",
    podUid: "uid",
    replaces: undefined,
    nowMs: 1_000,
  });

  test("says what was encoded", () => {
    expect(decodeHeartbeat(lease)).toEqual(heartbeat);
  });

  test("is owned by its Pod, so that it goes with it", () => {
    expect(lease.metadata.ownerReferences).toEqual([
      { apiVersion: "v1", kind: "Pod", name: "w1", uid: "uid" },
    ]);
  });

  test("without an annotation that it needs says which", () => {
    const broken = { ...lease, metadata: { ...lease.metadata, annotations: {} } };
    expect(() => decodeHeartbeat(broken)).toThrow(/no annotation dispatch\.city\//);
  });
});

test("a short worker id fits a label and differs where the long ones do", () => {
  const long = "a".repeat(100);
  expect(shortWorkerId("worker-1-abc")).toBe("worker-1-abc");
  expect(shortWorkerId(`${long}1`)).toHaveLength(63);
  expect(shortWorkerId(`${long}1`)).not.toBe(shortWorkerId(`${long}2`));
  expect(shortWorkerId(`${long}1`)).toMatch(/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/);
});

test("a MicroTime has exactly six fractional digits", () => {
  expect(microTime(1_234)).toBe("1970-01-01T00:00:01.234000Z");
});
