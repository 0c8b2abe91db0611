import type { Courier, DispatchSnapshot, Order, OrderAssignment, Point } from "../dispatch/model.ts";

/**
 * A snapshot as three flat arrays that move to another thread without a copy: a structured clone of thousands of objects
 * would hold up the main thread, which also carries the heartbeats and watches of all its cities.
 */
export type EncodedSnapshot = {
  /** `nowMs`, how many orders, then a fixed number of fields of each order and of each courier. NaN: undefined. */
  readonly numbers: Float64Array<ArrayBuffer>;
  /** All texts in the same order, UTF-8, without anything between them. */
  readonly text: Uint8Array<ArrayBuffer>;
  /** How long each of them is, in UTF-16 code units. */
  readonly lengths: Uint32Array<ArrayBuffer>;
};

const HEAD_NUMBERS = 2;
const ORDER_NUMBERS = 11;
const COURIER_NUMBERS = 10;

/** What moves instead of being copied. The sender cannot read it any more. */
export function buffersOf({ numbers, text, lengths }: EncodedSnapshot): ArrayBuffer[] {
  return [numbers.buffer, text.buffer, lengths.buffer];
}

/** With buffers of its own. What came from another process may share one with the rest of its message. */
export function copySnapshot({ numbers, text, lengths }: EncodedSnapshot): EncodedSnapshot {
  return { numbers: numbers.slice(), text: text.slice(), lengths: lengths.slice() };
}

/** Texts are well-formed Unicode, as they are in MySQL; numbers are never NaN. */
export function encodeSnapshot({ nowMs, orders, couriers }: DispatchSnapshot): EncodedSnapshot {
  const numbers = new Float64Array(
    HEAD_NUMBERS + ORDER_NUMBERS * orders.length + COURIER_NUMBERS * couriers.length,
  );
  const texts: string[] = [];
  numbers[0] = nowMs;
  numbers[1] = orders.length;
  let at = HEAD_NUMBERS;
  for (const order of orders) {
    encodeOrder(order, numbers, at, texts);
    at += ORDER_NUMBERS;
  }
  for (const courier of couriers) {
    encodeCourier(courier, numbers, at, texts);
    at += COURIER_NUMBERS;
  }
  const lengths = new Uint32Array(texts.length);
  for (let index = 0; index < texts.length; index++) lengths[index] = texts[index]?.length ?? 0;
  return { numbers, text: new TextEncoder().encode(texts.join("")), lengths };
}

export function decodeSnapshot(encoded: EncodedSnapshot): DispatchSnapshot {
  const { numbers } = encoded;
  const nextText = createTextReader(encoded);
  const ordersEnd = HEAD_NUMBERS + ORDER_NUMBERS * numberAt(numbers, 1);
  const orders: Order[] = [];
  for (let at = HEAD_NUMBERS; at < ordersEnd; at += ORDER_NUMBERS) {
    orders.push(decodeOrder(numbers, at, nextText));
  }
  const couriers: Courier[] = [];
  for (let at = ordersEnd; at < numbers.length; at += COURIER_NUMBERS) {
    couriers.push(decodeCourier(numbers, at, nextText));
  }
  return { nowMs: numberAt(numbers, 0), orders, couriers };
}

function encodeOrder(order: Order, numbers: Float64Array, at: number, texts: string[]): void {
  const { assignment } = order;
  numbers[at] = order.store.latitude;
  numbers[at + 1] = order.store.longitude;
  numbers[at + 2] = order.door.latitude;
  numbers[at + 3] = order.door.longitude;
  numbers[at + 4] = order.placedAtMs;
  numbers[at + 5] = order.readyAtMs;
  numbers[at + 6] = assignment?.assignedAtMs ?? NaN;
  numbers[at + 7] = assignment?.isAccepted === true ? 1 : 0;
  numbers[at + 8] = assignment?.reassignments ?? 0;
  numbers[at + 9] = order.vehicles.length;
  numbers[at + 10] = order.declinedBy.length;
  texts.push(order.id, order.storeId, assignment?.courier ?? "");
  for (const vehicle of order.vehicles) texts.push(vehicle);
  for (const courier of order.declinedBy) texts.push(courier);
}

function decodeOrder(numbers: Float64Array, at: number, nextText: () => string): Order {
  const [id, storeId, courier] = [nextText(), nextText(), nextText()];
  return {
    id,
    storeId,
    store: pointAt(numbers, at),
    door: pointAt(numbers, at + 2),
    placedAtMs: numberAt(numbers, at + 4),
    readyAtMs: numberAt(numbers, at + 5),
    assignment: assignmentAt(numbers, at + 6, courier),
    vehicles: nextTexts(numberAt(numbers, at + 9), nextText),
    declinedBy: nextTexts(numberAt(numbers, at + 10), nextText),
  };
}

function assignmentAt(numbers: Float64Array, at: number, courier: string): OrderAssignment | undefined {
  const assignedAtMs = numberAt(numbers, at);
  if (Number.isNaN(assignedAtMs)) return undefined;
  return {
    courier,
    assignedAtMs,
    isAccepted: numberAt(numbers, at + 1) === 1,
    reassignments: numberAt(numbers, at + 2),
  };
}

function encodeCourier(courier: Courier, numbers: Float64Array, at: number, texts: string[]): void {
  numbers[at] = courier.position.latitude;
  numbers[at + 1] = courier.position.longitude;
  numbers[at + 2] = courier.positionAtMs;
  numbers[at + 3] = courier.capacity;
  numbers[at + 4] = courier.load;
  numbers[at + 5] = courier.unacknowledged;
  numbers[at + 6] = courier.freeAtMs ?? NaN;
  numbers[at + 7] = courier.freePosition?.latitude ?? NaN;
  numbers[at + 8] = courier.freePosition?.longitude ?? NaN;
  numbers[at + 9] = courier.shiftEndsAtMs;
  texts.push(courier.id, courier.vehicle);
}

function decodeCourier(numbers: Float64Array, at: number, nextText: () => string): Courier {
  const freeAtMs = numberAt(numbers, at + 6);
  const freePosition = pointAt(numbers, at + 7);
  return {
    id: nextText(),
    vehicle: nextText(),
    position: pointAt(numbers, at),
    positionAtMs: numberAt(numbers, at + 2),
    capacity: numberAt(numbers, at + 3),
    load: numberAt(numbers, at + 4),
    unacknowledged: numberAt(numbers, at + 5),
    freeAtMs: Number.isNaN(freeAtMs) ? undefined : freeAtMs,
    freePosition: Number.isNaN(freePosition.latitude) ? undefined : freePosition,
    shiftEndsAtMs: numberAt(numbers, at + 9),
  };
}

function createTextReader({ text, lengths }: EncodedSnapshot): () => string {
  const all = new TextDecoder("utf-8", { ignoreBOM: true }).decode(text);
  let start = 0;
  let index = 0;
  return () => {
    const end = start + (lengths[index++] ?? 0);
    const one = all.slice(start, end);
    start = end;
    return one;
  };
}

function nextTexts(count: number, nextText: () => string): string[] {
  return Array.from({ length: count }, nextText);
}

function pointAt(numbers: Float64Array, at: number): Point {
  return { latitude: numberAt(numbers, at), longitude: numberAt(numbers, at + 1) };
}

function numberAt(numbers: Float64Array, at: number): number {
  return numbers[at] ?? NaN;
}
