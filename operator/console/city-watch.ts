import { readCityMap, readLedger } from "../../db/city-activity.ts";
import type { Database } from "../../db/pool.ts";
import { withDeadline } from "../../runtime/abort.ts";
import type { Clock } from "../../runtime/clock.ts";
import { isOperational } from "../../runtime/errors.ts";
import type { Log } from "../../runtime/log.ts";
import type { CityLook, FleetLook } from "../cities/view.ts";
import { Audience, type Viewer } from "./audience.ts";
import { cityPictureOf, type CityPicture, type Reading } from "./city-picture.ts";

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

export class CityWatch {
  readonly #dependencies: Dependencies;
  readonly #audiences = new Map<string, Audience>();
  readonly #reading = new Map<string, Promise<void>>();

  constructor(dependencies: Dependencies) {
    this.#dependencies = dependencies;
  }

  /** Call the function returned when the viewer is gone. `full`: too many other cities are being looked at. */
  join(city: string, viewer: Viewer): (() => void) | "full" {
    let audience = this.#audiences.get(city);
    if (audience === undefined) {
      if (this.#audiences.size >= CITIES_MAX) return "full";
      audience = new Audience(this.#dependencies.clock);
      this.#audiences.set(city, audience);
    }
    const joined = audience;
    const leave = joined.join(viewer);
    return () => {
      leave();
      if (joined.size === 0 && this.#audiences.get(city) === joined) this.#audiences.delete(city);
    };
  }

  /** Reads every city that is looked at, unless its last reading is still under way. */
  refresh(fleet: FleetLook, signal: AbortSignal): void {
    for (const [city, audience] of this.#audiences) {
      if (audience.size === 0) this.#audiences.delete(city);
      if (this.#reading.has(city)) continue;
      const look = fleet.cities.find((candidate) => candidate.city.metadata.name === city);
      const shown = this.#show({ city, look, audience, nowMs: fleet.databaseNowMs }, signal);
      this.#reading.set(city, shown);
      void shown.finally(() => this.#reading.delete(city));
    }
  }

  /** Waits for the readings that are under way. */
  async settle(): Promise<void> {
    await Promise.all(this.#reading.values());
  }

  close(): void {
    for (const audience of this.#audiences.values()) audience.close();
    this.#audiences.clear();
  }

  async #show(
    input: {
      readonly city: string;
      readonly look: CityLook | undefined;
      readonly audience: Audience;
      readonly nowMs: number;
    },
    signal: AbortSignal,
  ): Promise<void> {
    const { city, look, audience, nowMs } = input;
    try {
      const picture = await this.#read(city, look, signal);
      if (!signal.aborted) audience.show(picture, nowMs);
    } catch (error) {
      // A mistake of ours, which is no reason to end an operator: whoever looks sees that nothing comes any more.
      this.#dependencies.log.error({ city, err: error }, "city not shown");
    }
  }

  async #read(city: string, look: CityLook | undefined, signal: AbortSignal): Promise<CityPicture> {
    const { database } = this.#dependencies;
    const ledger = await this.#attempt(
      (limited) => readLedger(database, { city, ticksMax: TICKS_SHOWN, claimsMax: CLAIMS_SHOWN }, limited),
      signal,
    );
    const limits = { city, ordersMax: ORDERS_SHOWN, couriersMax: COURIERS_SHOWN };
    const map = await this.#attempt((limited) => readCityMap(database, limits, limited), signal);
    return cityPictureOf(city, look, { ledger, map });
  }

  async #attempt<Result>(
    read: (signal: AbortSignal) => Promise<Result>,
    signal: AbortSignal,
  ): Promise<Reading<Result>> {
    const { clock } = this.#dependencies;
    try {
      const limit = { clock, what: "a reading for the console", limitMs: READ_LIMIT_MS, signal };
      return { kind: "read", result: await withDeadline(limit, read) };
    } catch (error) {
      // The page says it: it is nothing that the operator could do anything about.
      if (signal.aborted) return { kind: "failed", code: "ended" };
      if (!isOperational(error)) throw error;
      return { kind: "failed", code: error.code };
    }
  }
}
