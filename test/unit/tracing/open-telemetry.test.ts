import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { systemClock } from "../../../runtime/clock.ts";
import { EnvironmentReader, type Variables } from "../../../runtime/environment.ts";
import { openTracing } from "../../../runtime/tracing/open.ts";
import { readTracingSettings, type TracingSettings } from "../../../runtime/tracing/settings.ts";
import { noSpan, spanned, tracingOff, type Tracing } from "../../../runtime/tracing/span.ts";
import { recordingLog } from "../../support/recording-log.ts";
import { startTraceReceiver, type TraceReceiver } from "../../support/trace-receiver.ts";

/** What OpenTelemetry makes of what the product says, over HTTP. */

const PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331";
const ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT";
const settingsOf = (variables: Variables): TracingSettings | undefined => {
  const environment = new EnvironmentReader(variables);
  const settings = readTracingSettings(environment);
  environment.finish();
  return settings;
};

describe("the settings", () => {
  test.each<Variables>([
    {},
    { [ENDPOINT]: "" },
    { [ENDPOINT]: "http://collector:4318", OTEL_SDK_DISABLED: "true" },
    { [ENDPOINT]: "http://collector:4318", OTEL_TRACES_EXPORTER: "none" },
  ])("are none, and tracing is off, with %p", async (variables) => {
    expect(settingsOf(variables)).toBeUndefined();
    const dependencies = { clock: systemClock, log: recordingLog().log, serviceName: "s", resource: {} };
    expect(await openTracing(settingsOf(variables), dependencies)).toBe(tracingOff);
  });

  test.each<[Variables, Partial<TracingSettings>]>([
    [
      {},
      {
        sampleRatio: 1,
        isSilent: false,
        queueSizeMax: 2_048,
        batchSizeMax: 512,
        delayMs: 5_000,
        exportTimeoutMs: 3_000,
      },
    ],
    [{ OTEL_TRACES_SAMPLER: "always_off" }, { sampleRatio: 0, isSilent: true }],
    [{ OTEL_TRACES_SAMPLER: "traceidratio", OTEL_TRACES_SAMPLER_ARG: "0.25" }, { sampleRatio: 0.25 }],
    [{ OTEL_TRACES_SAMPLER: "parentbased_traceidratio", OTEL_TRACES_SAMPLER_ARG: "0" }, { sampleRatio: 0 }],
    [{ OTEL_BSP_MAX_QUEUE_SIZE: "100" }, { queueSizeMax: 100, batchSizeMax: 100 }],
    [{ OTEL_EXPORTER_OTLP_TIMEOUT: "500" }, { exportTimeoutMs: 500 }],
    [
      { OTEL_EXPORTER_OTLP_TIMEOUT: "500", OTEL_EXPORTER_OTLP_TRACES_TIMEOUT: "700" },
      { exportTimeoutMs: 700 },
    ],
  ])("are OpenTelemetry's own: %p", (variables, settings) => {
    expect(settingsOf({ [ENDPOINT]: "http://collector:4318", ...variables })).toMatchObject(settings);
  });

  test.each<[Variables, string]>([
    [
      { [ENDPOINT]: "collector:4318" },
      "write the one where it takes OTLP over HTTP, such as http://collector:4318",
    ],
    [{ OTEL_EXPORTER_OTLP_PROTOCOL: "grpc" }, "write http/json, and as the endpoint the collector's port"],
    [{ OTEL_TRACES_SAMPLER: "jaeger_remote" }, "is none of parentbased_always_on"],
    [{ OTEL_TRACES_SAMPLER_ARG: "10%" }, "write a number from 0 to 1, such as 0.1"],
    [{ OTEL_BSP_MAX_QUEUE_SIZE: "many" }, "is not a whole number from 1 to"],
  ])("that make no sense are refused: %p", (variables, sentence) => {
    expect(() => settingsOf({ [ENDPOINT]: "http://collector:4318", ...variables })).toThrow(sentence);
  });
});

describe("a trace", () => {
  let receiver: TraceReceiver;
  let before: string | undefined;
  beforeEach(async () => {
    receiver = await startTraceReceiver();
    // OpenTelemetry's exporter reads it by itself.
    before = process.env[ENDPOINT];
    process.env[ENDPOINT] = receiver.endpoint;
  });
  afterEach(async () => {
    if (before === undefined) delete process.env[ENDPOINT];
    else process.env[ENDPOINT] = before;
    await receiver.close();
  });

  const open = async (variables: Variables = {}) => {
    const { log, entries } = recordingLog();
    const settings = settingsOf({ [ENDPOINT]: receiver.endpoint, ...variables });
    const resource = { "service.instance.id": "one" };
    const tracing = await openTracing(settings, { clock: systemClock, log, serviceName: "it", resource });
    return { tracing, entries };
  };
  const names = (): readonly string[] => receiver.spans.map(({ name }) => name).toSorted();

  test("arrives with its spans, their times, and what they failed for", async () => {
    const { tracing } = await open();
    const root = tracing.begin("root", { attributes: { city: "madrid", count: 3, nothing: undefined } });
    const child = root.child("child", { isLate: true }, systemClock.monotonicMs() - 250);
    child.fail("overran", new Error("it took too long"));
    child.end();
    root.set({ outcome: "missed" });
    root.end();
    await tracing.close();
    const [first, second] = receiver.spans.toSorted((left, right) => left.startMs - right.startMs);
    expect(first).toMatchObject({
      service: "it",
      name: "child",
      parentSpanId: second?.spanId,
      traceId: second?.traceId,
      attributes: { isLate: true, "error.type": "overran" },
      failedBecause: "overran",
    });
    expect(second).toMatchObject({
      name: "root",
      parentSpanId: undefined,
      attributes: { city: "madrid", count: 3, outcome: "missed" },
      failedBecause: undefined,
    });
    expect((first?.endMs ?? 0) - (first?.startMs ?? 0)).toBeGreaterThanOrEqual(249);
    expect(Math.abs((second?.startMs ?? 0) - Date.now())).toBeLessThan(5_000);
  });

  test("goes on in another process", async () => {
    const { tracing } = await open();
    const span = tracing.begin("here", { traceparent: `${PARENT}-01` });
    expect(span.traceparent).toMatch(/^00-0af7651916cd43dd8448eb211c80319c-[0-9a-f]{16}-01$/);
    span.end();
    await tracing.close();
    expect(receiver.spans).toMatchObject([
      { traceId: "0af7651916cd43dd8448eb211c80319c", parentSpanId: "b7ad6b7169203331" },
    ]);
  });

  const beginAll = (tracing: Tracing): void => {
    tracing.begin("common").end();
    tracing.begin("rare", { isRare: true }).end();
    tracing.begin("followed", { traceparent: `${PARENT}-01` }).end();
    tracing.begin("unfollowed", { traceparent: `${PARENT}-00` }).end();
  };

  test.each<[string, readonly string[]]>([
    ["parentbased_always_on", ["common", "followed", "rare"]],
    ["parentbased_always_off", ["followed"]],
  ])("is sampled as asked: %s", async (sampler, expected) => {
    const { tracing } = await open({ OTEL_TRACES_SAMPLER: sampler });
    beginAll(tracing);
    await tracing.close();
    expect(names()).toEqual(expected);
  });

  test("that is rare is there whatever the share, and what is not sampled costs no more than no tracing", async () => {
    const { tracing } = await open({ OTEL_TRACES_SAMPLER: "traceidratio", OTEL_TRACES_SAMPLER_ARG: "0" });
    expect(tracing.begin("common")).toBe(noSpan);
    beginAll(tracing);
    await tracing.close();
    expect(names()).toEqual(["followed", "rare"]);
  });

  test("is dropped beyond the bound of the queue", async () => {
    const { tracing } = await open({ OTEL_BSP_MAX_QUEUE_SIZE: "10", OTEL_BSP_SCHEDULE_DELAY: "60000" });
    receiver.behave("hang");
    for (let index = 0; index < 1_000; index++) tracing.begin("one").end();
    receiver.behave("answer");
    await tracing.close();
    expect(receiver.spans.length).toBeLessThanOrEqual(20);
  });

  test("that cannot be delivered is told of once, with what to do, and so is that it can again", async () => {
    const { tracing, entries } = await open({ OTEL_BSP_SCHEDULE_DELAY: "1" });
    const send = async (): Promise<void> => {
      const { requests } = receiver;
      tracing.begin("one").end();
      while (receiver.requests === requests) await systemClock.sleep(5, new AbortController().signal);
      await systemClock.sleep(50, new AbortController().signal);
    };
    receiver.behave("refuse");
    await send();
    await send();
    expect(entries.map(({ level, message }) => [level, message])).toEqual([
      [
        "warn",
        expect.stringContaining("see that OTEL_EXPORTER_OTLP_ENDPOINT is where a collector takes OTLP"),
      ],
    ]);
    receiver.behave("answer");
    await send();
    expect(entries.map(({ message }) => message).slice(1)).toEqual(["traces delivered again"]);
    await tracing.close();
  });

  test("is not waited for longer than a few seconds when the process ends", async () => {
    const { tracing, entries } = await open();
    receiver.behave("hang");
    tracing.begin("one").end();
    const startedMs = performance.now();
    await tracing.close();
    expect(performance.now() - startedMs).toBeLessThan(3_000);
    expect(entries.map(({ message }) => message)).toContain("last traces not delivered");
  });
});

describe("work within a span", () => {
  test("is only called where nothing is recorded", async () => {
    const result = Promise.resolve("done");
    expect(spanned(noSpan, () => result, String)).toBe(result);
  });
});
