import { parseDuration } from "../../crds/duration.ts";
import type {
  CityMap,
  ExplainedTick,
  Ledger,
  LedgerClaim,
  LedgerTick,
  OpenOrderPlace,
} from "../../db/city-activity.ts";
import type { AvailableCourierRow } from "../../db/snapshot.ts";
import type { Explanation } from "../../db/story/explanation.ts";
import { costOf, sayExplanation } from "../../db/story/words.ts";
import type { CityLook } from "../cities/view.ts";
import type {
  CityHead,
  Claim,
  Condition,
  DecisionLine,
  MapCourier,
  MapOrder,
  SlotTick,
} from "./page/picture.ts";

/** One city as the console shows it. Pure. */

export type CityPicture = {
  readonly head: CityHead;
  readonly items: {
    readonly conditions: ReadonlyMap<string, Condition>;
    readonly ticks: ReadonlyMap<string, SlotTick>;
    readonly claims: ReadonlyMap<string, Claim>;
    readonly orders: ReadonlyMap<string, MapOrder>;
    readonly couriers: ReadonlyMap<string, MapCourier>;
    readonly decisions: ReadonlyMap<string, DecisionLine>;
  };
};

/** What a reading brought; or the code of the error for which it brought nothing, with what an earlier one had brought. */
export type Reading<Result> =
  | { readonly kind: "read"; readonly result: Result }
  | { readonly kind: "failed"; readonly code: string; readonly earlier: Result | undefined };

export type CityReadings = { readonly ledger: Reading<Ledger>; readonly map: Reading<CityMap> };

export function latestOf<Result>(reading: Reading<Result> | undefined): Result | undefined {
  return reading?.kind === "failed" ? reading.earlier : reading?.result;
}

export const DECISIONS_SHOWN = 200;
/** The ones that a person asks about first. */
const KIND_ORDER = ["assigned", "unassignable", "held", "beyond-horizon", "kept"];
/** About a hundred metres: enough to see where orders are, and no address. */
const DOOR_DEGREES = 0.001;

export function cityPictureOf(name: string, look: CityLook | undefined, readings: CityReadings): CityPicture {
  const ledger = latestOf(readings.ledger);
  const map = latestOf(readings.map);
  const explained = ledger?.explained;
  const { city, lease, fence } = look ?? {};
  const periodMs = city === undefined ? 0 : parseDuration(city.spec.period);
  return {
    head: {
      city: name,
      isFound: city !== undefined,
      worker: lease?.worker ?? null,
      token: lease === undefined ? null : String(lease.token),
      since: lease?.since ?? null,
      because: lease?.because ?? null,
      setbacks: lease?.setbacks ?? 0,
      epoch: fence === undefined ? null : String(fence.epoch),
      tick: fence === undefined ? null : String(fence.tick),
      committedAtMs: fence?.committedAtMs ?? null,
      period: city?.spec.period ?? "",
      periodMs,
      stallAfterMs: (city?.spec.stallAfterTicks ?? 0) * periodMs,
      pool: city?.spec.workerPool ?? "",
      dispatcher: city?.spec.dispatcher ?? "",
      timeZone: city?.spec.timeZone ?? "",
      isSuspended: city?.spec.suspend ?? false,
      ledgerTrouble: readings.ledger.kind === "failed" ? readings.ledger.code : null,
      mapTrouble: readings.map.kind === "failed" ? readings.map.code : null,
      isMapCut: map?.isCut ?? false,
      explainedTick: explained === undefined ? null : String(explained.tick),
      explainedBy: explained?.dispatcher ?? null,
      explainedOrders: explained?.explanations.length ?? 0,
    },
    items: {
      conditions: new Map(
        (city?.status?.conditions ?? []).map(({ type, status, reason, message, lastTransitionTime }) => [
          type,
          { status, reason, message, since: lastTransitionTime },
        ]),
      ),
      ticks: new Map((ledger?.ticks ?? []).map((tick) => [String(tick.tick), slotTickOf(tick)])),
      claims: new Map((ledger?.claims ?? []).map((claim) => [String(claim.claim), claimOf(claim)])),
      orders: new Map((map?.orders ?? []).map((order) => [order.orderId, mapOrderOf(order)])),
      couriers: new Map((map?.couriers ?? []).map((courier) => [courier.courierId, mapCourierOf(courier)])),
      decisions: decisionsOf(explained),
    },
  };
}

function slotTickOf(tick: LedgerTick): SlotTick {
  const { slotMs, periodMs, holder, token, degraded, decisions, dropped, committedAtMs } = tick;
  return { slotMs, periodMs, holder, token, degraded, decisions, dropped, committedAtMs };
}

function claimOf({ epoch, token, holder, tick, claimedAtMs }: LedgerClaim): Claim {
  return { epoch: String(epoch), token, holder: holder ?? null, tick: String(tick), claimedAtMs };
}

function mapOrderOf(order: OpenOrderPlace): MapOrder {
  const { storeId, storeLatitude, storeLongitude, placedAtMs, readyAtMs, courierId, acceptedAtMs } = order;
  return {
    store: storeId,
    storeLatitude,
    storeLongitude,
    latitude: roundDoor(order.latitude),
    longitude: roundDoor(order.longitude),
    placedAtMs,
    readyAtMs,
    courier: courierId ?? null,
    isAccepted: acceptedAtMs !== undefined,
  };
}

function roundDoor(degrees: number): number {
  return Number((Math.round(degrees / DOOR_DEGREES) * DOOR_DEGREES).toFixed(3));
}

function mapCourierOf(courier: AvailableCourierRow): MapCourier {
  const { latitude, longitude, vehicle, activeLoad, capacity } = courier;
  return { latitude, longitude, vehicle, load: activeLoad, capacity };
}

function decisionsOf(explained: ExplainedTick | undefined): ReadonlyMap<string, DecisionLine> {
  const rank = ({ kind }: Explanation): number => KIND_ORDER.indexOf(kind);
  const lines = (explained?.explanations ?? [])
    .toSorted((left, right) => rank(left) - rank(right))
    .slice(0, DECISIONS_SHOWN)
    .map((explanation): [string, DecisionLine] => [explanation.order, decisionLineOf(explanation)]);
  return new Map(lines);
}

function decisionLineOf(explanation: Explanation): DecisionLine {
  const cost = "cost" in explanation ? `; cost ${costOf(explanation.cost)}` : "";
  return {
    kind: explanation.kind,
    courier: "courier" in explanation ? explanation.courier : null,
    text: `${sayExplanation(explanation, clockOf)}${cost}`,
  };
}

function clockOf(timeMs: number): string {
  return `${new Date(timeMs).toISOString().slice(11, 19)} UTC`;
}
