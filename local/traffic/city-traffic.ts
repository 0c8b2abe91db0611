import type { Clock } from "../../runtime/clock.ts";
import type { Log } from "../../runtime/log.ts";
import type { CityScript } from "./city-script.ts";
import { CityWorld } from "./city-world.ts";
import type { Feed } from "./feed.ts";
import { writeCouriers, writeHappenings, type CityOnAir } from "./happenings.ts";
import { createTimeScale } from "./time-scale.ts";

/** One city's customers, stores and couriers, played on the database. */

export type CityTrafficInput = {
  readonly city: string;
  readonly script: CityScript;
  /** How many times as fast as real time its day passes. */
  readonly speed: number;
  readonly feed: Feed;
  readonly clock: Clock;
  readonly log: Log;
  readonly pollIntervalMs?: number;
  readonly positionsIntervalMs?: number;
};

const POLL_INTERVAL_MS = 150;
const POSITIONS_INTERVAL_MS = 2_000;
/** After the database was away, the city catches up in steps of at most this much real time. */
const CATCH_UP_STEP_MS = 2_000;

/**
 * Plays the script from its start, which is now, and resolves when its day is over (an endless one never is); rejects with
 * the signal's reason when it aborts. The database's clock drives the city: while the database is away nothing
 * happens, and afterwards everything has happened at its own time.
 */
export async function runCityTraffic(input: CityTrafficInput, signal: AbortSignal): Promise<void> {
  const { city, script, speed, feed, clock, log } = input;
  const stores = script.stores.map(({ id, name, position }) => ({ id, name, ...position }));
  await feed.writeStores(city, stores, signal);
  const { nowMs: startDatabaseMs } = await feed.readPending(city, signal);
  const scale = createTimeScale({ speed, startWorldMs: script.startMs, startDatabaseMs });
  const world = new CityWorld(script);
  const air: CityOnAir = { city, world, scale, feed, log };
  log.info({ city, count: stores.length }, "city opened");
  let positionsWrittenMs = clock.monotonicMs();
  for (;;) {
    // First what was decided, then time up to the moment at which it was read: so couriers act on it in time.
    const { nowMs, assignments } = await feed.readPending(city, signal);
    for (const { orderId, courierId, tick, stop, assignedAtMs } of assignments) {
      const atMs = Math.max(script.startMs, scale.toWorldMs(assignedAtMs));
      world.assign({ orderId, courierId, atMs, bundle: { name: `tick ${tick}`, stop } });
    }
    await catchUp(air, { toMs: scale.toWorldMs(nowMs), stepMs: CATCH_UP_STEP_MS * speed }, signal);
    if (world.isOver()) break;
    if (clock.monotonicMs() - positionsWrittenMs >= (input.positionsIntervalMs ?? POSITIONS_INTERVAL_MS)) {
      positionsWrittenMs = clock.monotonicMs();
      const ids = world.couriers().map(({ id }) => id);
      await writeCouriers(air, ids, signal);
    }
    await clock.sleep(input.pollIntervalMs ?? POLL_INTERVAL_MS, signal);
  }
  log.info({ city, count: world.openOrderCount }, "day ended");
}

async function catchUp(
  air: CityOnAir,
  by: { readonly toMs: number; readonly stepMs: number },
  signal: AbortSignal,
): Promise<void> {
  do {
    const happenings = air.world.advance(Math.min(by.toMs, air.world.nowMs + by.stepMs));
    await writeHappenings(air, happenings, signal);
  } while (air.world.nowMs < by.toMs);
}
