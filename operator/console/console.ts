import type { Database } from "../../db/pool.ts";
import { openStory } from "../../db/story.ts";
import { findStory } from "../../db/story/find.ts";
import { tellStory } from "../../db/story/tell.ts";
import { withDeadline } from "../../runtime/abort.ts";
import type { Clock } from "../../runtime/clock.ts";
import { isOperational } from "../../runtime/errors.ts";
import type { Log } from "../../runtime/log.ts";
import type { FleetLook } from "../cities/view.ts";
import { Audience } from "./audience.ts";
import { CityWatch } from "./city-watch.ts";
import { pictureOf, type KnownTiles, type ReplicaLook } from "./fleet-picture.ts";
import { Moves } from "./moves.ts";
import { readPageFiles } from "./page-files.ts";
import { serveConsole, type Told } from "./server.ts";

/**
 * A page for people, read-only: what this replica sees of the fleet, and bounded readings of one city. Every replica serves it.
 * It looks once a second and decides nothing; whatever happens to it, the operator goes on.
 */
export type Console = {
  readonly port: number;
  /** Looks until the signal aborts. */
  run(signal: AbortSignal): Promise<void>;
};

const LOOK_INTERVAL_MS = 1_000;
const STORY_LIMIT_MS = 5_000;
/** Ticks after an order was placed that its story is looked for in. */
const STORY_TICKS_MAX = 5_000;

export async function openConsole(
  dependencies: {
    readonly clock: Clock;
    readonly log: Log;
    /** Of its own, with few connections: nobody else must ever wait for a page. Closed with the console. */
    readonly database: Database;
    /** Undefined: the fleet has not been listed yet. */
    readonly look: () => FleetLook | undefined;
    readonly replica: () => ReplicaLook;
  },
  port: number,
): Promise<Console> {
  const { clock, log, database, look, replica } = dependencies;
  const moves = new Moves();
  const knownTiles: KnownTiles = new WeakMap();
  const fleetAudience = new Audience(clock);
  const cityWatch = new CityWatch({ database, clock, log });
  let watchedSinceMs: number | undefined;
  let isTelling = false;
  const ending = new AbortController();

  async function tell(city: string, order: string): Promise<Told> {
    if (isTelling) return "busy";
    isTelling = true;
    try {
      const limit = { clock, what: "the telling of a story", limitMs: STORY_LIMIT_MS, signal: ending.signal };
      return await withDeadline(limit, async (signal) => {
        const story = await openStory(database, signal);
        return tellStory(await findStory(story, city, order, STORY_TICKS_MAX));
      });
    } catch (error) {
      if (ending.signal.aborted) return { failed: "the operator ends" };
      if (isOperational(error)) return { failed: error.code };
      log.error({ city, err: error }, "story not told");
      return { failed: "the operator's log says why" };
    } finally {
      isTelling = false;
    }
  }

  const server = await serveConsole(
    {
      files: await readPageFiles(),
      joinFleet: (viewer) => fleetAudience.join(viewer),
      joinCity: (city, viewer) => cityWatch.join(city, viewer),
      tellStory: tell,
    },
    port,
  );

  function showFleet(signal: AbortSignal): void {
    const fleet = look();
    if (fleet === undefined) return;
    watchedSinceMs ??= fleet.databaseNowMs;
    moves.see(fleet);
    if (fleetAudience.size > 0) {
      const picture = pictureOf(fleet, replica(), { moves: moves.latest, watchedSinceMs }, knownTiles);
      fleetAudience.show(picture, fleet.databaseNowMs);
    }
    cityWatch.refresh(fleet, signal);
  }

  return {
    port: server.port,
    async run(signal) {
      log.info({ port: server.port }, "console served");
      while (!signal.aborted) {
        try {
          showFleet(signal);
        } catch (error) {
          // A mistake of ours, which is no reason to end an operator: whoever looks sees that nothing comes any more.
          log.error({ err: error }, "fleet not shown");
        }
        await clock.sleep(LOOK_INTERVAL_MS, signal).catch(() => undefined);
      }
      ending.abort(new Error("the operator ended"));
      fleetAudience.close();
      cityWatch.close();
      await server.close();
      await cityWatch.settle();
      await database.close();
    },
  };
}
