import type { City, CityCondition } from "../../crds/city.ts";
import type { AuthorityView, CityLook, FleetLook } from "../cities/view.ts";
import type { WorkerView } from "../workers/roster.ts";
import type { CityTile, FleetHead, Move, WorkerTile } from "./page/picture.ts";

/** The fleet as the console shows it. Pure. */

export type FleetPicture = {
  readonly head: FleetHead;
  readonly items: {
    readonly cities: ReadonlyMap<string, CityTile>;
    readonly workers: ReadonlyMap<string, WorkerTile>;
    readonly moves: ReadonlyMap<string, Move>;
  };
};

/** What a replica says of itself. */
export type ReplicaLook = {
  readonly replica: string;
  readonly isLeading: boolean;
  readonly trouble: string | undefined;
  readonly authority: AuthorityView;
};

/** Tiles that were made before: most cities are as they were a second ago, and the same tile is known to be no change. */
export type KnownTiles = WeakMap<City, { readonly look: CityLook; readonly tile: CityTile }>;

/** `known` is only for speed. */
export function pictureOf(
  look: FleetLook,
  replica: ReplicaLook,
  seen: { readonly moves: ReadonlyMap<string, Move>; readonly watchedSinceMs: number },
  known: KnownTiles = new WeakMap(),
): FleetPicture {
  const { authority } = replica;
  return {
    head: {
      replica: replica.replica,
      isLeading: replica.isLeading,
      trouble: replica.trouble ?? null,
      isDatabaseReachable: look.isDatabaseReachable,
      authority: authority.kind,
      epoch: authority.kind === "unknown" ? null : String(authority.epoch),
      watchedSinceMs: seen.watchedSinceMs,
    },
    items: {
      cities: new Map(look.cities.map((city) => [city.city.metadata.name, knownTileOf(city, known)])),
      workers: new Map([...look.workers].map(([id, worker]) => [id, workerTileOf(worker)])),
      moves: seen.moves,
    },
  };
}

function knownTileOf(look: CityLook, known: KnownTiles): CityTile {
  const before = known.get(look.city);
  const isSame =
    before !== undefined &&
    before.look.lease === look.lease &&
    before.look.periodMs === look.periodMs &&
    before.look.fence?.committedAtMs === look.fence?.committedAtMs;
  if (isSame) return before.tile;
  const tile = cityTileOf(look);
  known.set(look.city, { look, tile });
  return tile;
}

function cityTileOf({ city, periodMs, lease, fence }: CityLook): CityTile {
  const ready = conditionOf(city.status?.conditions, "Ready");
  return {
    worker: lease?.worker ?? null,
    token: lease === undefined ? null : String(lease.token),
    pool: city.spec.workerPool,
    periodMs,
    stallAfterMs: city.spec.stallAfterTicks * periodMs,
    committedAtMs: fence?.committedAtMs ?? null,
    isSuspended: city.spec.suspend,
    reason: ready?.reason ?? "Pending",
    message: ready?.status === "True" ? "" : (ready?.message ?? "no operator has looked at it yet"),
  };
}

function conditionOf(
  conditions: readonly CityCondition[] | undefined,
  type: CityCondition["type"],
): CityCondition | undefined {
  return conditions?.find((condition) => condition.type === type);
}

function workerTileOf({ pod, pool, zone, version, liveness, isDatabaseReachable }: WorkerView): WorkerTile {
  return { pod, pool, zone, version, liveness, isDatabaseReachable };
}
