import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { setTimeout as sleep } from "node:timers/promises";
import { START_LIMIT_MS } from "../../support/kube.ts";
import { startProduct, type Product } from "../../support/product.ts";
import { startTraceReceiver, type ReceivedSpan, type TraceReceiver } from "../../support/trace-receiver.ts";
import { happensWithin } from "../../support/until.ts";

/** What a collector gets of a City: one trace from `kubectl apply` to the first commit, and one for each tick after that. */

/** Two processes read the wall clock in whole milliseconds. */
const CLOCK_MS = 2;
const DELIVERY_LIMIT_MS = 10_000;
let receiver: TraceReceiver;
let product: Product;

beforeAll(async () => {
  receiver = await startTraceReceiver();
  const env = { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint, OTEL_BSP_SCHEDULE_DELAY: "200" };
  product = await startProduct({
    cities: ["madrid"],
    launch: async (stack) => {
      stack.startOperator("operator-1", env);
      for (const name of ["worker-1", "worker-2"]) stack.startWorker(name, env);
    },
  });
}, START_LIMIT_MS);

afterAll(async () => {
  await product?.stop();
  await receiver?.close();
}, 60_000);

const spansOf = (traceId: string): readonly ReceivedSpan[] =>
  receiver.spans
    .filter((span) => span.traceId === traceId)
    .toSorted((left, right) => left.startMs - right.startMs);

/** The trace that this kind of change of the city began, once its tick has arrived. */
async function changeTrace(kind: "city change" | "city move", city: string, sinceMs: number) {
  const rootOf = (): ReceivedSpan | undefined =>
    receiver.spans.find(
      ({ name, attributes, startMs }) =>
        name === kind && attributes["dispatch.city"] === city && startMs >= sinceMs,
    );
  const hasEnded = (): boolean =>
    spansOf(rootOf()?.traceId ?? "").some(({ name }) => name === "tenure up to the first commit");
  await happensWithin(DELIVERY_LIMIT_MS, `the trace of a ${kind} of ${city}`, async () => hasEnded());
  const spans = spansOf(rootOf()?.traceId ?? "");
  const only = (name: string): ReceivedSpan => {
    const [found, second] = spans.filter((span) => span.name === name);
    if (found === undefined || second !== undefined) throw new Error(`${name} is not once in ${told(spans)}`);
    return found;
  };
  return { spans, only };
}

const told = (spans: readonly ReceivedSpan[]): string =>
  spans.map(({ service, name, failedBecause }) => `${service}: ${name} ${failedBecause ?? ""}`).join("; ");

describe("a City that is applied", () => {
  test("is one trace, of operator and worker, from the change to the first commit", async () => {
    const sinceMs = Date.now() - CLOCK_MS;
    await product.apply("lisbon", { period: "1s" });
    const { spans, only } = await changeTrace("city change", "lisbon", sinceMs);
    const root = only("city change");
    const write = only("write lease");
    const tenure = only("tenure up to the first commit");
    const tick = only("tick");
    const parents = spans.map(({ service, name, parentSpanId }) =>
      [service, name, spans.find(({ spanId }) => spanId === parentSpanId)?.name ?? "nothing"].join(" < "),
    );
    expect(parents.toSorted()).toEqual(
      [
        "dispatch-operator < city change < nothing",
        "dispatch-operator < decide < city change",
        "dispatch-operator < decide < city change",
        "dispatch-operator < write finalizer < city change",
        "dispatch-operator < write lease < city change",
        "dispatch-worker < tenure up to the first commit < write lease",
        "dispatch-worker < claim < tenure up to the first commit",
        "dispatch-worker < tick < tenure up to the first commit",
        "dispatch-worker < snapshot < tick",
        "dispatch-worker < decide < tick",
        "dispatch-worker < dispatch thread < decide",
        "dispatch-worker < validate < decide",
        "dispatch-worker < commit < tick",
      ].toSorted(),
    );
    // Each begins where the one that causes it has begun, or ended.
    const order = [
      root.startMs,
      only("write finalizer").endMs,
      write.startMs,
      tenure.startMs,
      only("claim").startMs,
      only("claim").endMs,
      tick.startMs,
      only("snapshot").endMs,
      only("dispatch thread").startMs,
      only("validate").startMs,
      only("commit").startMs,
      only("commit").endMs,
    ];
    for (const [index, timeMs] of order.entries()) {
      expect(timeMs).toBeGreaterThanOrEqual((order[index - 1] ?? 0) - CLOCK_MS);
    }
    expect(tenure.endMs).toBeGreaterThanOrEqual(tick.endMs);
    const lease = (await product.assignments()).find((line) => line.startsWith("lisbon "));
    expect(lease).toBe(`lisbon ${root.attributes["dispatch.worker"]} ${root.attributes["dispatch.token"]}`);
    expect(tick.attributes).toMatchObject({
      "dispatch.city": "lisbon",
      "dispatch.token": root.attributes["dispatch.token"],
      "dispatch.tick": "1",
      "dispatch.outcome": "committed",
      "dispatch.orders": 0,
      "dispatch.decisions": 0,
    });
    expect(spans.map(({ failedBecause }) => failedBecause)).toEqual(spans.map(() => undefined));
    // Who reads the log finds the trace.
    const holder = String(root.attributes["dispatch.worker"]).replace(/-[0-9a-f]+$/, "");
    for (const [name, phrase] of [
      ["operator-1", "city assigned"],
      [holder, "tick committed"],
    ] as const) {
      const lines = (await product.log(name)).split("\n").filter((line) => line.includes(root.traceId));
      expect(lines.map((line) => (JSON.parse(line) as { msg: string }).msg)).toEqual([phrase]);
    }
  }, 30_000);

  test("then has a trace for each of its ticks", async () => {
    const ticks = (): readonly ReceivedSpan[] =>
      receiver.spans.filter(
        ({ name, attributes, parentSpanId }) =>
          name === "tick" && attributes["dispatch.city"] === "lisbon" && parentSpanId === undefined,
      );
    await happensWithin(DELIVERY_LIMIT_MS, "three ticks", async () => ticks().length >= 3);
    const numbers = ticks().map(({ attributes }) => attributes["dispatch.tick"]);
    expect(numbers).toEqual(numbers.map((_, index) => String(index + 2)));
    const [tick] = ticks();
    expect(new Set(ticks().map(({ traceId }) => traceId)).size).toBe(ticks().length);
    expect(spansOf(tick?.traceId ?? "").map(({ name }) => name)).toEqual([
      "tick",
      "snapshot",
      "decide",
      "dispatch thread",
      "validate",
      "commit",
    ]);
    const rows = await product.query(
      "SELECT tick, token, slot_ms FROM tick WHERE city = 'lisbon' AND tick = 2",
    );
    expect([tick?.attributes["dispatch.token"], tick?.attributes["dispatch.slot_ms"]]).toEqual([
      String(rows[0]?.["token"]),
      Number(rows[0]?.["slot_ms"]),
    ]);
    expect(tick?.attributes["dispatch.lateness_ms"]).toBeGreaterThanOrEqual(0);
  }, 30_000);
});

test("a worker that is drained is a trace of each move, with its cause", async () => {
  const sinceMs = Date.now();
  const [holder] = [...(await product.holdings())].find(([, cities]) => cities.includes("lisbon")) ?? [];
  product.stack.processes.get(holder ?? "")?.signal("SIGTERM");
  const { only } = await changeTrace("city move", "lisbon", sinceMs);
  const root = only("city move");
  expect(root.attributes).toMatchObject({ "dispatch.because": "holder-draining" });
  expect(root.attributes["dispatch.from_worker"]).toMatch(`${holder}-`);
  expect(root.attributes["dispatch.worker"]).not.toMatch(`${holder}-`);
  expect(only("tick").service).toBe("dispatch-worker");
}, 60_000);

test.each(["hang", "refuse"] as const)(
  "a collector that does %s costs no slot, and is told of once",
  async (how) => {
    receiver.behave(how);
    const logs = async (): Promise<string> =>
      (await Promise.all(["worker-1", "worker-2"].map((name) => product.log(name)))).join("");
    const toldOf = async (): Promise<number> => (await logs()).split("traces not delivered").length - 1;
    const [before, beforeRequests, sinceMs] = [
      await toldOf(),
      receiver.requests,
      await product.databaseTimeMs(),
    ];
    await happensWithin(20_000, "the warning", async () => (await toldOf()) > before);
    await happensWithin(20_000, "a second try", async () => receiver.requests > beforeRequests + 1);
    await sleep(2_000);
    expect(await product.missedSlots("lisbon", sinceMs)).toBe(0);
    expect(await product.missedSlots("madrid", sinceMs)).toBe(0);
    expect(await toldOf()).toBe(before + 1);
    receiver.behave("answer");
    await happensWithin(20_000, "the delivery", async () =>
      (await logs()).includes("traces delivered again"),
    );
  },
  90_000,
);

test("processes end with a collector that hangs, within seconds", async () => {
  receiver.behave("hang");
  await sleep(1_000);
  const startedMs = performance.now();
  const operator = product.stack.processes.get("operator-1");
  operator?.signal("SIGTERM");
  await operator?.exited;
  expect(performance.now() - startedMs).toBeLessThan(8_000);
}, 30_000);
