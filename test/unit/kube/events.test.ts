import { afterEach, describe, expect, test } from "@jest/globals";
import {
  createEventRecorder,
  type EventRecord,
  type EventRecorderInput,
} from "../../../runtime/kube/events.ts";
import type { EventObject } from "../../../runtime/kube/event-series.ts";
import { KubeError } from "../../../runtime/kube/kube-error.ts";
import { EVENTS } from "../../../runtime/kube/resources.ts";
import { silentLog } from "../../../runtime/log.ts";
import { createFakeClock } from "../../support/fake-clock.ts";
import { createFakeKube } from "../../support/fake-kube.ts";

const never = new AbortController().signal;
const ends: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

function setUp(input: Partial<EventRecorderInput> = {}) {
  const clock = createFakeClock();
  const kube = createFakeKube();
  let id = 0;
  const recorder = createEventRecorder({
    client: kube.client,
    clock,
    log: silentLog,
    reportingController: "dispatch.city/test",
    reportingInstance: "test-1",
    newId: () => String(++id),
    ...input,
  });
  ends.push(async () => {
    const closing = recorder.close();
    await clock.advance(10_000);
    await closing;
    expect(clock.timerCount()).toBe(0);
  });
  const sent = async (): Promise<EventObject[]> =>
    (await kube.client.list<EventObject>(EVENTS, {}, never)).items;
  return { clock, kube, recorder, sent };
}

const event = (note: string, city = "madrid"): EventRecord => ({
  regarding: {
    apiVersion: "dispatch.city/v1alpha1",
    kind: "City",
    name: city,
    namespace: "cities",
    uid: "u1",
  },
  reason: "Moved",
  action: "Assign",
  note,
  type: "Normal",
});

describe("the event recorder", () => {
  test("sends an event beside the object that it is about", async () => {
    const { clock, recorder, sent } = setUp();
    recorder.record(event("to w1"));
    await clock.settle();
    expect(await sent()).toMatchObject([
      {
        metadata: { namespace: "cities", name: "madrid.1" },
        eventTime: "2026-01-01T00:00:00.000000Z",
        reportingController: "dispatch.city/test",
        reportingInstance: "test-1",
        reason: "Moved",
        action: "Assign",
        note: "to w1",
        type: "Normal",
        regarding: { kind: "City", name: "madrid", uid: "u1" },
      },
    ]);
  });

  test("counts the same event within ten minutes, and begins anew after that", async () => {
    const { clock, recorder, sent } = setUp();
    for (let repetition = 0; repetition < 3; repetition++) {
      recorder.record(event("to w1"));
      await clock.advance(60_000);
    }
    recorder.record(event("to w2"));
    await clock.settle();
    expect((await sent()).map(({ note, series }) => [note, series?.count])).toEqual([
      ["to w1", 3],
      ["to w2", undefined],
    ]);
    await clock.advance(600_000);
    recorder.record(event("to w1"));
    await clock.settle();
    expect(await sent()).toHaveLength(3);
  });

  test("begins anew when the API server no longer has the first one", async () => {
    const { clock, kube, recorder, sent } = setUp();
    recorder.record(event("to w1"));
    await clock.settle();
    await kube.client.remove(EVENTS, { namespace: "cities", name: "madrid.1" }, never);
    recorder.record(event("to w1"));
    await clock.settle();
    expect(await sent()).toMatchObject([{ series: { count: 2 } }]);
  });

  test("sends no faster than it may", async () => {
    const { clock, recorder, sent } = setUp({ eventsPerSecondMax: 2 });
    for (let city = 0; city < 10; city++) recorder.record(event("to w1", `city-${city}`));
    await clock.settle();
    expect(await sent()).toHaveLength(2);
    await clock.advance(2_000);
    expect(await sent()).toHaveLength(6);
  });

  test("drops and counts what does not fit, and never makes anybody wait", () => {
    const { recorder } = setUp({ queueMax: 2 });
    for (let city = 0; city < 5; city++) recorder.record(event("to w1", `city-${city}`));
    expect(recorder.dropped).toBe(3);
  });

  test("tries again what may go through later, and drops what will not", async () => {
    const { clock, kube, recorder, sent } = setUp();
    kube.failNext(
      /^create events/,
      new KubeError({ code: "kube-unavailable", remedy: "retry", message: "no" }),
    );
    recorder.record(event("to w1"));
    await clock.advance(1_000);
    expect(await sent()).toHaveLength(1);
    kube.failNext(
      /^create events/,
      new KubeError({ code: "kube-forbidden", remedy: "give-up", message: "no" }),
    );
    recorder.record(event("to w2"));
    await clock.advance(10_000);
    expect(await sent()).toHaveLength(1);
    expect(recorder.dropped).toBe(1);
  });

  test("sends what is left when it is closed, but not for ever", async () => {
    const { clock, recorder, sent } = setUp({ eventsPerSecondMax: 1 });
    for (let city = 0; city < 6; city++) recorder.record(event("to w1", `city-${city}`));
    const closing = recorder.close(2_500);
    await clock.advance(2_500);
    await closing;
    expect(await sent()).toHaveLength(3);
    expect(recorder.dropped).toBe(3);
    recorder.record(event("too late"));
    expect(recorder.dropped).toBe(4);
  });

  test("shortens a note to the bytes that the API takes, never inside a character", async () => {
    const { clock, recorder, sent } = setUp();
    recorder.record(event("ü".repeat(2_000)));
    await clock.settle();
    const [{ note = "" } = {}] = await sent();
    expect(Buffer.byteLength(note)).toBeLessThanOrEqual(1_024);
    expect(note).toMatch(/^ü+…$/);
  });
});
