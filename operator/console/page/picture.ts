/** What the console shows. Times are milliseconds since 1970 on the database's clock, unless a name says otherwise. */

import type { Changes } from "./changes.ts";

/** About the replica that serves the page, and what it sees. */
export type FleetHead = {
  readonly replica: string;
  readonly isLeading: boolean;
  /** Why it cannot see the fleet, in the API server's words; null: it can. */
  readonly trouble: string | null;
  readonly isDatabaseReachable: boolean;
  readonly authority: "ours" | "foreign" | "unknown";
  readonly epoch: string | null;
  /** Since when moves are seen. */
  readonly watchedSinceMs: number;
};

/** By name. */
export type CityTile = {
  readonly worker: string | null;
  readonly token: string | null;
  readonly pool: string;
  readonly periodMs: number;
  /** So long without a tick is a stall. */
  readonly stallAfterMs: number;
  /** Null: no tick yet. */
  readonly committedAtMs: number | null;
  readonly isSuspended: boolean;
  /** Of the condition Ready, as the leader wrote it. */
  readonly reason: string;
  /** Why it is not Ready; "" while it is. */
  readonly message: string;
};

/** By worker id. */
export type WorkerTile = {
  readonly pod: string;
  readonly pool: string;
  readonly zone: string;
  readonly version: string;
  readonly liveness: string;
  readonly isDatabaseReachable: boolean;
};

/** By city and token. */
export type Move = {
  readonly atMs: number;
  readonly city: string;
  /** Null: nobody had it. */
  readonly from: string | null;
  /** Null: it was taken away. */
  readonly to: string | null;
  /** The token that came with it. */
  readonly token: string;
  /** Null: an older operator wrote it. */
  readonly because: string | null;
};

/** About one city. */
export type CityHead = {
  readonly city: string;
  /** False: there is no City of that name. */
  readonly isFound: boolean;
  readonly worker: string | null;
  readonly token: string | null;
  /** RFC 3339 on the operator's clock: since when that worker has it. */
  readonly since: string | null;
  /** Why it came to that worker. */
  readonly because: string | null;
  readonly setbacks: number;
  readonly epoch: string | null;
  readonly tick: string | null;
  readonly committedAtMs: number | null;
  readonly period: string;
  readonly periodMs: number;
  readonly stallAfterMs: number;
  readonly pool: string;
  readonly dispatcher: string;
  readonly timeZone: string;
  readonly isSuspended: boolean;
  /** Code of the error for which the ledger could not be read; null: it was. */
  readonly ledgerTrouble: string | null;
  /** The same of the map. */
  readonly mapTrouble: string | null;
  /** There is more on the map than is shown. */
  readonly isMapCut: boolean;
  /** The tick whose decisions are shown, and who decided it; null: no explanation is kept. */
  readonly explainedTick: string | null;
  readonly explainedBy: string | null;
  /** How many orders that tick looked at. */
  readonly explainedOrders: number;
};

/** By type. */
export type Condition = {
  readonly status: string;
  readonly reason: string;
  readonly message: string;
  /** RFC 3339. */
  readonly since: string;
};

/** By number. */
export type SlotTick = {
  readonly slotMs: number;
  readonly periodMs: number;
  readonly holder: string;
  readonly token: string;
  readonly degraded: number;
  readonly decisions: number;
  readonly dropped: number;
  readonly committedAtMs: number;
};

/** By number. */
export type Claim = {
  readonly epoch: string;
  readonly token: string;
  /** Null: a seal. */
  readonly holder: string | null;
  /** The last tick before it. */
  readonly tick: string;
  readonly claimedAtMs: number;
};

/** By id. Doors are rounded to about a hundred metres. */
export type MapOrder = {
  readonly store: string;
  readonly storeLatitude: number;
  readonly storeLongitude: number;
  readonly latitude: number;
  readonly longitude: number;
  readonly placedAtMs: number;
  readonly readyAtMs: number;
  readonly courier: string | null;
  readonly isAccepted: boolean;
};

/** By id. */
export type MapCourier = {
  readonly latitude: number;
  readonly longitude: number;
  readonly vehicle: string;
  readonly load: number;
  readonly capacity: number;
};

/** By order. */
export type DecisionLine = {
  readonly kind: string;
  readonly courier: string | null;
  readonly text: string;
};

/** One message of a stream. */
export type StreamMessage = {
  /** `whole`: what was there before is void. */
  readonly kind: "whole" | "changes";
  readonly nowMs: number;
  readonly changes: Changes;
};
