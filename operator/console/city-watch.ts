import { readCityMap, readLedger } from "../../db/city-activity.ts";
import type { Database } from "../../db/pool.ts";
import { withDeadline } from "../../runtime/abort.ts";
import type { Clock } from "../../runtime/clock.ts";
import { isOperational } from "../../runtime/errors.ts";
import type { Log } from "../../runtime/log.ts";
import type { CityLook, FleetLook } from "../cities/view.ts";
import { Audience, type Viewer } from "./audience.ts";
import { cityPictureOf, latestOf, type CityReadings, type Reading } from "./city-picture.ts";

/**
 * The cities that somebody looks at, each read from MySQL once a second however many do. Nobody looking, nothing is read; only
 * so many cities can be looked at together.
 */

const CITIES_MAX = 4;
const READ_LIMIT_MS = 2_000;
const TICKS_SHOWN = 240;
const CLAIMS_SHOWN = 20;
const ORDERS_SHOWN = 500;
const COURIERS_SHOWN = 500;

type Dependencies = { readonly database: Database; readonly clock: Clock; readonly log: Log };

/** One city that is looked at. */
type Watched = { readonly audience: Audience; readings: CityReadings | undefined };

export class CityWatch {
  readonly #dependencies: Dependencies;
  readonly #watched = new Map<string, Watched>();
  readonly #reading = new Map<string, Promise<void>>();

  constructor(dependencies: Dependencies) {
    this.#dependencies = dependencies;
  }

  /** Call the function returned when the viewer is gone. `full`: too many other cities are being looked at. */
  join(city: string, viewer: Viewer): (() => void) | "full" {
    let watched = this.#watched.get(city);
    if (watched === undefined) {
      if (this.#watched.size >= CITIES_MAX) return "full";
      watched = { audience: new Audience(this.#dependencies.clock), readings: undefined };
      this.#watched.set(city, watched);
    }
    const joined = watched;
    const leave = joined.audience.join(viewer);
    return () => {
      leave();
      if (joined.audience.size === 0 && this.#watched.get(city) === joined) this.#watched.delete(city);
    };
  }

  /** Reads every city that is looked at, unless its last reading is still under way. */
  refresh(fleet: FleetLook, signal: AbortSignal): void {
    for (const [city, watched] of this.#watched) {
      if (watched.audience.size === 0) this.#watched.delete(city);
      if (this.#reading.has(city)) continue;
      const look = fleet.cities.find((candidate) => candidate.city.metadata.name === city);
      const shown = this.#show({ city, look, watched, nowMs: fleet.databaseNowMs }, signal);
      this.#reading.set(city, shown);
      void shown.finally(() => this.#reading.delete(city));
    }
  }

  /** Waits for the readings that are under way. */
  async settle(): Promise<void> {
    await Promise.all(this.#reading.values());
  }

  close(): void {
    for (const { audience } of this.#watched.values()) audience.close();
    this.#watched.clear();
  }

  async #show(
    input: {
      readonly city: string;
      readonly look: CityLook | undefined;
      readonly watched: Watched;
      readonly nowMs: number;
    },
    signal: AbortSignal,
  ): Promise<void> {
    const { city, look, watched, nowMs } = input;
    try {
      const readings = await this.#read(city, watched.readings, signal);
      watched.readings = readings;
      if (!signal.aborted) watched.audience.show(cityPictureOf(city, look, readings), nowMs);
    } catch (error) {
      // A mistake of ours, which is no reason to end an operator: whoever looks sees that nothing comes any more.
      this.#dependencies.log.error({ city, err: error }, "city not shown");
    }
  }

  async #read(city: string, before: CityReadings | undefined, signal: AbortSignal): Promise<CityReadings> {
    const { database } = this.#dependencies;
    const limits = {
      city,
      ticksMax: TICKS_SHOWN,
      claimsMax: CLAIMS_SHOWN,
      ordersMax: ORDERS_SHOWN,
      couriersMax: COURIERS_SHOWN,
    };
    return {
      ledger: await this.#attempt((limited) => readLedger(database, limits, limited), before?.ledger, signal),
      map: await this.#attempt((limited) => readCityMap(database, limits, limited), before?.map, signal),
    };
  }

  async #attempt<Result>(
    read: (signal: AbortSignal) => Promise<Result>,
    before: Reading<Result> | undefined,
    signal: AbortSignal,
  ): Promise<Reading<Result>> {
    const { clock } = this.#dependencies;
    try {
      const limit = { clock, what: "a reading for the console", limitMs: READ_LIMIT_MS, signal };
      return { kind: "read", result: await withDeadline(limit, read) };
    } catch (error) {
      // The page says it: it is nothing that the operator could do anything about.
      if (!isOperational(error) && !signal.aborted) throw error;
      const code = isOperational(error) ? error.code : "ended";
      return { kind: "failed", code, earlier: latestOf(before) };
    }
  }
}
