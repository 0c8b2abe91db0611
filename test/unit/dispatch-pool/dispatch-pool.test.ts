import { getEventListeners } from "node:events";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { isOperational } from "../../../runtime/errors.ts";
import { silentLog } from "../../../runtime/log.ts";
import {
  createDispatchPool,
  HARD_DEADLINE_FACTOR,
  RELIEF_AFTER_MS,
  type DispatchPool,
} from "../../../worker/dispatch-pool/dispatch-pool.ts";
import { findExplanation } from "../../../db/story/explanation-lines.ts";
import { dispatch } from "../../../worker/dispatch/dispatch.ts";
import type { DispatchAnswer } from "../../../worker/dispatch-pool/protocol.ts";
import {
  aCourier,
  anAnswer,
  anOrder,
  aQuestion,
  aRandomSnapshot,
  aSnapshot,
  PARAMETERS,
} from "../../support/dispatch-snapshot.ts";
import { createFakeClock, type FakeClock } from "../../support/fake-clock.ts";

const ODD_THREAD = new URL("../../support/odd-dispatch-thread.ts", import.meta.url);
const DEADLINE_MS = 1_000;
const HARD_DEADLINE_MS = DEADLINE_MS * HARD_DEADLINE_FACTOR;
const FOREVER = new AbortController().signal;

let clock: FakeClock;
let pool: DispatchPool;

beforeEach(() => {
  clock = createFakeClock();
});

afterEach(async () => {
  await pool.close();
});

async function open(input: {
  readonly threads: number;
  readonly waitingCallsMax?: number;
  readonly heapMegabytesMax?: number;
}): Promise<void> {
  pool = createDispatchPool({ ...input, clock, log: silentLog, threadModule: ODD_THREAD });
  // Every thread has loaded.
  await Promise.all(Array.from({ length: input.threads }, () => ask("answer")));
}

/** Asks the odd thread for `what`; the answer, or the code (or else the error) of the failure. */
async function ask(what: string, signal = FOREVER): Promise<DispatchAnswer | string | Error> {
  try {
    return await pool.run(aSnapshot([anOrder(what)], []), aQuestion(), DEADLINE_MS, signal);
  } catch (error) {
    return isOperational(error) ? error.code : (error as Error);
  }
}

function answerWith(remainingMs: number): DispatchAnswer {
  const decisions = [{ order: "remaining", courier: String(remainingMs), stop: 1, from: undefined }];
  return anAnswer({ decisions });
}

describe("a pool of dispatch threads", () => {
  test("answers as the dispatcher itself does", async () => {
    pool = createDispatchPool({ threads: 1, clock, log: silentLog });
    const snapshot = aRandomSnapshot(1, { orders: 60, couriers: 60 });
    const answer = await pool.run(snapshot, aQuestion(), 60_000, FOREVER);
    const { explanations, ...result } = dispatch(snapshot, PARAMETERS, { hasPassed: () => false });
    expect(answer).toMatchObject({ by: "optimal", ...result, leftOut: 0, record: undefined });
    const text = new TextDecoder().decode(answer.explanations);
    expect(explanations.map(({ order }) => findExplanation(text, order))).toEqual(explanations);
    expect(answer.decisions.length).toBeGreaterThan(0);
  });

  test("returns a degraded answer when there is no time", async () => {
    pool = createDispatchPool({ threads: 1, clock, log: silentLog });
    const snapshot = aSnapshot([anOrder("o")], [aCourier("c")]);
    const answer = await pool.run(snapshot, aQuestion(), Number.MIN_VALUE, FOREVER);
    expect(answer).toMatchObject({ decisions: [{ order: "o", courier: "c" }], degraded: true });
  });

  test("starts calls in the order in which they came", async () => {
    await open({ threads: 1 });
    const finished: number[] = [];
    const calls = [1, 2, 3, 4].map(async (number) => {
      await ask("answer");
      finished.push(number);
    });
    await Promise.all(calls);
    expect(finished).toEqual([1, 2, 3, 4]);
    expect(clock.timerCount()).toBe(0);
  });

  test("takes the time that a call waited from the time that it may run", async () => {
    await open({ threads: 1 });
    const leaving = new AbortController();
    const hanging = ask("hang", leaving.signal);
    const waiting = ask("answer");
    await clock.advance(200);
    leaving.abort(new Error("unassigned"));
    expect(await waiting).toEqual(answerWith(DEADLINE_MS - 200));
    await hanging;
  });
});

describe("a call that hangs", () => {
  test("ends at its hard deadline with its thread, while others go on beside it and after it", async () => {
    await open({ threads: 2 });
    const hanging = ask("hang");
    expect(await ask("answer")).toEqual(answerWith(DEADLINE_MS));
    const second = ask("hang");
    await clock.advance(HARD_DEADLINE_MS);
    expect(await Promise.all([hanging, second])).toEqual(["dispatch-overrun", "dispatch-overrun"]);
    // Both threads were lost, so these answers are the replacements'.
    expect(await Promise.all([ask("answer"), ask("answer")])).toEqual([
      answerWith(DEADLINE_MS),
      answerWith(DEADLINE_MS),
    ]);
  });

  test("makes those behind it wait only a moment, however far away its own deadline is", async () => {
    await open({ threads: 1 });
    const hanging = ask("hang");
    const waiting = ask("answer");
    await clock.advance(RELIEF_AFTER_MS - 1);
    expect(await Promise.race([waiting, Promise.resolve("waits")])).toBe("waits");
    await clock.advance(1);
    expect(await waiting).toEqual(answerWith(DEADLINE_MS - RELIEF_AFTER_MS));
    expect(await ask("answer")).toEqual(answerWith(DEADLINE_MS));
    await clock.advance(HARD_DEADLINE_MS - RELIEF_AFTER_MS);
    expect(await hanging).toBe("dispatch-overrun");
    expect(await ask("answer")).toEqual(answerWith(DEADLINE_MS));
    await pool.close();
    expect(threadCount()).toBe(0);
    expect(clock.timerCount()).toBe(0);
  });

  test("past its deadline makes room for one that comes then", async () => {
    await open({ threads: 1 });
    const hanging = ask("hang");
    await clock.advance(HARD_DEADLINE_MS - DEADLINE_MS / 4);
    expect(await ask("answer")).toEqual(answerWith(DEADLINE_MS));
    await clock.advance(DEADLINE_MS / 4);
    expect(await hanging).toBe("dispatch-overrun");
  });
});

describe("a call that cannot be served", () => {
  test("is overloaded when no thread becomes free before its deadline", async () => {
    await open({ threads: 1 });
    // Two that hang: the second one in the place that the first one has left.
    const hanging = [ask("hang"), ask("hang")];
    const waiting = ask("answer");
    await clock.advance(DEADLINE_MS);
    expect(await waiting).toBe("dispatch-overloaded");
    await clock.advance(HARD_DEADLINE_MS - DEADLINE_MS);
    // The fresh thread may not have loaded by then.
    const lost = expect.stringMatching(/^dispatch-over(run|loaded)$/);
    expect(await Promise.all(hanging)).toEqual(["dispatch-overrun", lost]);
  });

  test("is overloaded when its thread is slow to load, which goes on and serves later ones", async () => {
    pool = createDispatchPool({ threads: 1, clock, log: silentLog, threadModule: ODD_THREAD });
    const tooEarly = ask("answer");
    await clock.advance(HARD_DEADLINE_MS);
    expect(await tooEarly).toBe("dispatch-overloaded");
    expect(await ask("answer")).toEqual(answerWith(DEADLINE_MS));
    expect(threadCount()).toBe(1);
    expect(clock.timerCount()).toBe(0);
  });

  test("is overloaded at once when too many wait, and those who wait are served", async () => {
    await open({ threads: 1, waitingCallsMax: 2 });
    const calls = [ask("answer"), ask("answer"), ask("answer")];
    expect(await ask("answer")).toBe("dispatch-overloaded");
    expect(await Promise.all(calls)).toEqual(calls.map(() => answerWith(DEADLINE_MS)));
    expect(await ask("answer")).toEqual(answerWith(DEADLINE_MS));
  });
});

describe("a call whose dispatcher crashes", () => {
  test("fails alone: its thread is replaced", async () => {
    await open({ threads: 1 });
    const answers = await Promise.all([
      ask("answer"),
      ask("crash"),
      ask("answer"),
      ask("crash"),
      ask("answer"),
    ]);
    const good = answerWith(DEADLINE_MS);
    expect(answers).toEqual([good, "dispatch-crashed", good, "dispatch-crashed", good]);
  });

  test("by running out of memory fails alone as well", async () => {
    await open({ threads: 1, heapMegabytesMax: 32 });
    expect(await Promise.all([ask("devour"), ask("answer")])).toEqual([
      "dispatch-crashed",
      answerWith(DEADLINE_MS),
    ]);
  });

  test("carries the dispatcher's mistake as its cause", async () => {
    await open({ threads: 1 });
    await expect(
      pool.run(aSnapshot([anOrder("crash")], []), aQuestion(), DEADLINE_MS, FOREVER),
    ).rejects.toMatchObject({
      code: "dispatch-crashed",
      remedy: "retry",
      cause: { message: "the dispatcher made a mistake" },
    });
  });

  test("fails when the threads cannot even start", async () => {
    const threadModule = new URL("data:text/javascript,throw new Error('not a dispatcher')");
    pool = createDispatchPool({ threads: 1, clock, log: silentLog, threadModule });
    expect(await ask("answer")).toBe("dispatch-crashed");
    expect(await ask("answer")).toBe("dispatch-crashed");
  });
});

describe("a caller who leaves", () => {
  test("gets the reason, and frees the thread that ran the call", async () => {
    await open({ threads: 1 });
    const leaving = new AbortController();
    const hanging = ask("hang", leaving.signal);
    const waiting = ask("answer");
    const reason = new Error("unassigned");
    leaving.abort(reason);
    expect(await hanging).toBe(reason);
    expect(await waiting).toEqual(answerWith(DEADLINE_MS));
    expect(clock.timerCount()).toBe(0);
  });

  test("takes a waiting call out of the queue", async () => {
    await open({ threads: 1, waitingCallsMax: 1 });
    const [first, second] = [new AbortController(), new AbortController()];
    const hanging = ask("hang", first.signal);
    const waiting = ask("crash", second.signal);
    second.abort("no longer needed");
    expect(await waiting).toBe("no longer needed");
    const inItsPlace = ask("answer");
    first.abort("done");
    expect(await hanging).toBe("done");
    expect(await inItsPlace).toEqual(answerWith(DEADLINE_MS));
  });

  test("before the call started is not served at all", async () => {
    await open({ threads: 1 });
    expect(await ask("hang", AbortSignal.abort("too late"))).toBe("too late");
    expect(await ask("answer")).toEqual(answerWith(DEADLINE_MS));
  });

  test("leaves no listener on a signal that lives on", async () => {
    await open({ threads: 1 });
    const { signal } = new AbortController();
    await Promise.all([ask("answer", signal), ask("crash", signal)]);
    expect(getEventListeners(signal, "abort")).toEqual([]);
  });
});

describe("closing", () => {
  test("ends every call and every thread, also one that hangs", async () => {
    await open({ threads: 2 });
    await Promise.all([ask("answer"), ask("answer")]);
    expect(threadCount()).toBe(2);
    const calls = [ask("hang"), ask("hang"), ask("answer")];
    await pool.close();
    expect(await Promise.all(calls)).toEqual(calls.map(() => "dispatch-closed"));
    expect(threadCount()).toBe(0);
    expect(clock.timerCount()).toBe(0);
  });

  test("waits for threads that were being replaced", async () => {
    await open({ threads: 1 });
    await ask("answer");
    expect(threadCount()).toBe(1);
    const leaving = new AbortController();
    const hanging = ask("hang", leaving.signal);
    leaving.abort("done");
    await pool.close();
    expect(threadCount()).toBe(0);
    expect(await hanging).toBe("done");
  });

  test("refuses calls that come later, and may be repeated", async () => {
    await open({ threads: 1 });
    await pool.close();
    expect(await ask("answer")).toBe("dispatch-closed");
    await pool.close();
  });
});

/** The threads of this process, as its diagnostic report lists them. */
function threadCount(): number {
  const report = process.report.getReport() as unknown as { readonly workers: readonly unknown[] };
  return report.workers.length;
}
