import { describe, expect, test } from "@jest/globals";
import { errorOfFailure, errorOfStatus } from "../../../runtime/kube/kube-error.ts";
import { LEASES } from "../../../runtime/kube/resources.ts";
import { decodeWatch, type WatchEvent } from "../../../runtime/kube/watch.ts";

describe("an answer", () => {
  test.each([
    [400, "BadRequest", "kube-invalid", "give-up"],
    [401, "Unauthorized", "kube-unauthorized", "give-up"],
    [403, "Forbidden", "kube-forbidden", "give-up"],
    [404, "NotFound", "kube-not-found", "refresh"],
    [409, "Conflict", "kube-conflict", "refresh"],
    [409, "AlreadyExists", "kube-already-exists", "refresh"],
    [410, "Expired", "kube-expired", "refresh"],
    [422, "Invalid", "kube-invalid", "give-up"],
    [429, "TooManyRequests", "kube-throttled", "retry"],
    [500, "InternalError", "kube-unavailable", "retry"],
    [503, "ServiceUnavailable", "kube-unavailable", "retry"],
    [504, "Timeout", "kube-unavailable", "retry"],
  ])("of %p %p is %p: %p", (httpStatus, reason, code, remedy) => {
    const status = { kind: "Status", reason, message: "the words of the API server" };
    expect(errorOfStatus({ what: "get leases/a", httpStatus, status })).toMatchObject({
      code,
      remedy,
      message: "get leases/a: the words of the API server",
    });
  });

  test("says how long to stay away, by header or in its body", () => {
    const throttled = { what: "get", httpStatus: 429, status: undefined };
    expect(errorOfStatus({ ...throttled, retryAfter: "7" }).retryAfterMs).toBe(7_000);
    expect(errorOfStatus({ ...throttled, status: { details: { retryAfterSeconds: 2 } } }).retryAfterMs).toBe(
      2_000,
    );
    expect(errorOfStatus(throttled).retryAfterMs).toBeUndefined();
  });

  test("keeps its message short", () => {
    const error = errorOfStatus({ what: "get", httpStatus: 422, status: { message: "x".repeat(100_000) } });
    expect(error.message.length).toBeLessThan(600);
  });
});

describe("a failure", () => {
  const failure = (code: string) => Object.assign(new Error("what the system said"), { code });

  test.each(["ECONNREFUSED", "ECONNRESET", "ENOTFOUND", "UND_ERR_SOCKET", "CERT_HAS_EXPIRED"])(
    "by %s is unreachable",
    (code) => {
      expect(errorOfFailure("get", failure(code))).toMatchObject({
        code: "kube-unreachable",
        remedy: "retry",
      });
    },
  );

  test.each(["UND_ERR_CONNECT_TIMEOUT", "UND_ERR_HEADERS_TIMEOUT", "ETIMEDOUT"])(
    "by %s is a timeout",
    (code) => {
      expect(errorOfFailure("get", failure(code))).toMatchObject({ code: "kube-timeout", remedy: "retry" });
    },
  );

  test("that is a mistake of ours stays what it is", () => {
    for (const error of [new TypeError("x is undefined"), failure("UND_ERR_INVALID_ARG")]) {
      expect(errorOfFailure("get", error)).toBe(error);
    }
  });
});

describe("a watch", () => {
  const decode = async (...chunks: readonly (string | Uint8Array)[]): Promise<WatchEvent<never>[]> => {
    const bytes = (async function* () {
      for (const chunk of chunks) yield typeof chunk === "string" ? Buffer.from(chunk) : chunk;
    })();
    const events: WatchEvent<never>[] = [];
    for await (const event of decodeWatch<never>(bytes, LEASES)) events.push(event);
    return events;
  };
  const line = (type: string, object: unknown): string => `${JSON.stringify({ type, object })}\n`;

  test("is the same however the bytes are cut, also inside a character", async () => {
    const text =
      line("ADDED", { metadata: { name: "a", annotations: { city: "Zürich" } } }) +
      line("DELETED", { metadata: { name: "a" } });
    const bytes = Buffer.from(text);
    const whole = await decode(bytes);
    expect(whole.map(({ kind }) => kind)).toEqual(["added", "deleted"]);
    expect(whole[0]).toMatchObject({
      object: { kind: "Lease", metadata: { annotations: { city: "Zürich" } } },
    });
    for (let cut = 1; cut < bytes.length; cut++) {
      expect(await decode(bytes.subarray(0, cut), bytes.subarray(cut))).toEqual(whole);
    }
  });

  test("gives the version of a bookmark, and the error of an error", async () => {
    const status = { kind: "Status", code: 410, reason: "Expired", message: "too old resource version" };
    expect(
      await decode(line("BOOKMARK", { metadata: { resourceVersion: "12" } }), line("ERROR", status)),
    ).toMatchObject([
      { kind: "bookmark", resourceVersion: "12" },
      { kind: "error", error: { code: "kube-expired" } },
    ]);
  });

  test("does not keep who set which field", async () => {
    const [event] = await decode(
      line("ADDED", { metadata: { name: "a", managedFields: [{ manager: "x" }] } }),
    );
    expect(JSON.stringify(event)).not.toContain("manager");
  });

  test.each(["not json\n", `{"type":"NEWS","object":{}}\n`])("refuses %p", async (text) => {
    await expect(decode(text)).rejects.toMatchObject({ code: "kube-unavailable" });
  });
});
