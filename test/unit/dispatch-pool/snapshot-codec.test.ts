import { expect, test } from "@jest/globals";
import * as fc from "fast-check";
import { buffersOf, decodeSnapshot, encodeSnapshot } from "../../../worker/dispatch-pool/snapshot-codec.ts";
import type { Courier, DispatchSnapshot, Order } from "../../../worker/dispatch/model.ts";
import { aRandomSnapshot } from "../../support/dispatch-snapshot.ts";

const text = fc.string({ unit: "grapheme", maxLength: 12 });
const texts = fc.array(text, { maxLength: 3 });
const timeMs = fc.integer({ min: 0, max: 4_000_000_000_000 });
const degrees = fc.double({ min: -180, max: 180, noNaN: true });
const point = fc.record({ latitude: degrees, longitude: degrees });
const count = fc.nat(50);
const optional = <Value>(value: fc.Arbitrary<Value>) => fc.option(value, { nil: undefined });

const order: fc.Arbitrary<Order> = fc.record({
  id: text,
  storeId: text,
  store: point,
  door: point,
  placedAtMs: timeMs,
  readyAtMs: timeMs,
  vehicles: texts,
  assignment: optional(
    fc.record({ courier: text, assignedAtMs: timeMs, isAccepted: fc.boolean(), reassignments: count }),
  ),
  declinedBy: texts,
});

const courier: fc.Arbitrary<Courier> = fc.record({
  id: text,
  position: point,
  positionAtMs: timeMs,
  vehicle: text,
  capacity: count,
  load: count,
  unacknowledged: count,
  freeAtMs: optional(timeMs),
  freePosition: optional(point),
  shiftEndsAtMs: timeMs,
});

const snapshot: fc.Arbitrary<DispatchSnapshot> = fc.record({
  nowMs: timeMs,
  orders: fc.array(order, { maxLength: 8 }),
  couriers: fc.array(courier, { maxLength: 8 }),
});

test("whatever is encoded is decoded again, to the last digit, also after it has moved", () => {
  fc.assert(
    fc.property(snapshot, (before) => {
      const encoded = encodeSnapshot(before);
      expect(decodeSnapshot(encoded)).toEqual(before);
      const moved = structuredClone(encoded, { transfer: buffersOf(encoded) });
      expect(encoded.numbers).toHaveLength(0);
      expect(decodeSnapshot(moved)).toEqual(before);
    }),
  );
});

test("every decoding is a copy of its own", () => {
  const encoded = encodeSnapshot(aRandomSnapshot(1, { orders: 5, couriers: 5 }));
  const [first, second] = [decodeSnapshot(encoded), decodeSnapshot(encoded)];
  expect(first).toEqual(second);
  expect(first.couriers[0]).not.toBe(second.couriers[0]);
});
