import { MessageChannel } from "node:worker_threads";
import { deserialize, serialize } from "node:v8";
import type { CitySnapshot } from "../../db/snapshot.ts";
import type { FencingToken } from "../../crds/token.ts";
import { buffersOf, encodeSnapshot } from "../../worker/dispatch-pool/snapshot-codec.ts";
import { dispatch } from "../../worker/dispatch/dispatch.ts";
import type { DispatchSnapshot } from "../../worker/dispatch/model.ts";
import { validateDecisions } from "../../worker/dispatch/validate.ts";
import { dispatchSnapshotOf } from "../../worker/tenure/inputs.ts";
import { aRandomSnapshot, PARAMETERS } from "../support/dispatch-snapshot.ts";

/**
 * What one tick of one city costs the main thread around its dispatch: as it is, and as it would be if snapshot and result
 * were cloned and the validator ran here. Medians and 99th percentiles in milliseconds.
 */

const ROUNDS = 60;
const WARM_UP_ROUNDS = 20;
const SIZES = [
  { orders: 300, couriers: 900 },
  { orders: 2_000, couriers: 8_000 },
] as const;

function measure(work: () => void): { readonly p50: number; readonly p99: number } {
  const times: number[] = [];
  for (let round = 0; round < ROUNDS + WARM_UP_ROUNDS; round++) {
    const startedMs = performance.now();
    work();
    if (round >= WARM_UP_ROUNDS) times.push(performance.now() - startedMs);
  }
  times.sort((a, b) => a - b);
  const at = (share: number): number =>
    times[Math.min(times.length - 1, Math.floor(share * times.length))] ?? 0;
  return { p50: at(0.5), p99: at(0.99) };
}

/** As the database would have shown it. */
function rowsOf({ nowMs, orders, couriers }: DispatchSnapshot): CitySnapshot {
  return {
    epoch: 1n,
    token: 1n as FencingToken,
    holder: "w",
    tick: 1n,
    commitId: undefined,
    databaseTimeMs: nowMs,
    isCut: false,
    orders: orders.map((order) => ({
      orderId: order.id,
      storeId: order.storeId,
      storeLatitude: order.store.latitude,
      storeLongitude: order.store.longitude,
      ...order.door,
      placedAtMs: order.placedAtMs,
      readyAtMs: order.readyAtMs,
      vehicles: order.vehicles,
      courierId: order.assignment?.courier,
      assignedAtMs: order.assignment?.assignedAtMs,
      acceptedAtMs: order.assignment?.assignedAtMs,
      reassignments: 0,
      declinedBy: order.declinedBy,
    })),
    couriers: couriers.map((courier) => ({
      ...courier.position,
      courierId: courier.id,
      positionAtMs: courier.positionAtMs,
      vehicle: courier.vehicle,
      capacity: courier.capacity,
      activeLoad: courier.load,
      unacknowledged: courier.unacknowledged,
      freeAtMs: courier.freeAtMs,
      freeLatitude: courier.freePosition?.latitude,
      freeLongitude: courier.freePosition?.longitude,
      shiftEndsAtMs: courier.shiftEndsAtMs,
    })),
  };
}

function print(what: string, { p50, p99 }: ReturnType<typeof measure>): void {
  process.stdout.write(`  ${what.padEnd(46)} ${p50.toFixed(2).padStart(8)} ${p99.toFixed(2).padStart(8)}\n`);
}

for (const size of SIZES) {
  const snapshot = aRandomSnapshot(1, size);
  const rows = rowsOf(snapshot);
  const result = dispatch(snapshot, PARAMETERS, { hasPassed: () => false });
  const answered = serialize(result);
  const { port1, port2 } = new MessageChannel();
  process.stdout.write(
    `\n${size.orders} orders, ${size.couriers} couriers            ms at the median, at 99 %\n`,
  );
  print(
    "from rows to the dispatcher's model",
    measure(() => void dispatchSnapshotOf(rows)),
  );
  process.stdout.write(" before\n");
  print(
    "clone the snapshot",
    measure(() => port1.postMessage(snapshot)),
  );
  print(
    "receive the result",
    measure(() => void deserialize(answered)),
  );
  print(
    "validate",
    measure(() => void validateDecisions(snapshot, PARAMETERS, result.decisions)),
  );
  process.stdout.write(" now\n");
  print(
    "encode the snapshot and let it go",
    measure(() => {
      const encoded = encodeSnapshot(snapshot);
      port1.postMessage(encoded, buffersOf(encoded));
    }),
  );
  const decisions = serialize(result.decisions);
  print(
    "receive the decisions",
    measure(() => void deserialize(decisions)),
  );
  port1.close();
  port2.close();
}
