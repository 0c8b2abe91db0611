import { drawMap } from "./city-map.ts";
import type { Colours } from "./colours.ts";
import { byId, fillFacts, fillRows, setText } from "./elements.ts";
import { healthOf, LEVEL_WORDS, sayAge, sayTime, sayWorker } from "./health.ts";
import type { CityHead, Claim, Condition, DecisionLine, MapCourier, MapOrder, SlotTick } from "./picture.ts";
import { drawStrip } from "./slot-strip.ts";
import { itemsOf, type Stream } from "./stream.ts";

/** One city: how it is, its slots, its map, what was decided, its conditions and claims. */

const ORDERS_SHOWN = 100;
const CONDITION_ORDER = ["Ready", "Assigned", "Dispatching", "Suspended"];

/** What a person asks about first. */
const DECISION_ORDER = ["assigned", "unassignable", "held", "beyond-horizon", "kept"];

/** `workers`: the fleet's, so that a holder has one colour everywhere. `order`: whose story is shown. */
export function drawCityPage(
  stream: Stream,
  input: {
    readonly workers: readonly string[];
    readonly order: string | undefined;
    readonly colours: Colours;
  },
): void {
  const nowMs = stream.nowMs();
  if (nowMs === undefined) return;
  const { picture } = stream;
  const head = picture.head as unknown as CityHead;
  const orders = itemsOf<MapOrder>(picture, "orders");
  const decisions = itemsOf<DecisionLine>(picture, "decisions");
  drawHead(head, nowMs);
  drawStrip({ ticks: itemsOf<SlotTick>(picture, "ticks"), ...input });
  const couriers = itemsOf<MapCourier>(picture, "couriers");
  drawMap({ head, orders, couriers, decisions, nowMs, colours: input.colours });
  drawDecisions(head, decisions, input.order);
  drawOrders(head, orders, nowMs, input.order);
  drawConditions(itemsOf<Condition>(picture, "conditions"));
  drawClaims(itemsOf<Claim>(picture, "claims"));
}

/** What an earlier city left on the page. */
export function clearCityPage(city: string): void {
  setText(byId("city-title", HTMLHeadingElement), city);
  setText(byId("city-level", HTMLParagraphElement), "");
  setText(byId("city-note", HTMLParagraphElement), "being read");
  for (const id of ["decision-rows", "order-rows", "condition-rows", "claim-rows"])
    fillRows(byId(id, HTMLElement), []);
  fillFacts(byId("city-facts", HTMLDListElement), []);
}

function drawHead(head: CityHead, nowMs: number): void {
  const { level, ageMs } = healthOf(head, nowMs);
  const badge = byId("city-level", HTMLParagraphElement);
  badge.className = `level level-${level}`;
  setText(badge, head.isFound ? LEVEL_WORDS[level] : "there is no City of this name");
  const ledger =
    head.ledgerTrouble === null
      ? ""
      : `The ledger cannot be read (${head.ledgerTrouble}): what is shown of it is old.`;
  setText(byId("city-note", HTMLParagraphElement), ledger);
  fillFacts(byId("city-facts", HTMLDListElement), [
    ["last commit", ageMs === undefined ? "never" : `${sayAge(ageMs)} ago`],
    ["held by", head.worker ?? "nobody"],
    ["since", head.since === null ? "–" : `${head.since.slice(0, 19).replace("T", " ")} UTC`],
    ["because", head.because ?? "–"],
    ["token", head.token === null ? "–" : `${head.token} in epoch ${head.epoch ?? "?"}`],
    ["tick", head.tick ?? "–"],
    ["period", head.period],
    ["stalled after", sayAge(head.stallAfterMs)],
    ["dispatcher", head.dispatcher],
    ["pool", head.pool],
    ["time zone", head.timeZone],
    ["setbacks in a row", String(head.setbacks)],
  ]);
}

function rankOf(decision: DecisionLine | undefined): number {
  return DECISION_ORDER.indexOf(decision?.kind ?? "");
}

function storyLink(city: string, order: string): string {
  return `#/city/${city}/order/${encodeURIComponent(order)}`;
}

function drawDecisions(
  head: CityHead,
  decisions: ReadonlyMap<string, DecisionLine>,
  marked: string | undefined,
): void {
  const kinds = [...Map.groupBy(decisions.values(), ({ kind }) => kind)]
    .toSorted(([, [left]], [, [right]]) => rankOf(left) - rankOf(right))
    .map(([kind, lines]) => `${lines.length} ${kind}`);
  const more = head.explainedOrders > decisions.size ? `, the first ${decisions.size} shown` : "";
  const summary =
    head.explainedTick === null
      ? "No explanation of a tick is kept for this city."
      : `Tick ${head.explainedTick}, the last that was explained, by ${head.explainedBy}: ${head.explainedOrders} orders looked at${more}${kinds.length === 0 ? "" : `; ${kinds.join(", ")}`}.`;
  setText(byId("decisions-summary", HTMLParagraphElement), summary);
  fillRows(
    byId("decision-rows", HTMLElement),
    [...decisions]
      .toSorted(([left, one], [right, other]) => rankOf(one) - rankOf(other) || (left < right ? -1 : 1))
      .map(([order, { kind, text }]) => ({
        key: order,
        isMarked: order === marked,
        cells: [{ text: order, href: storyLink(head.city, order) }, { text: kind, look: "short" }, { text }],
      })),
  );
}

function drawOrders(
  head: CityHead,
  orders: ReadonlyMap<string, MapOrder>,
  nowMs: number,
  marked: string | undefined,
): void {
  const oldest = [...orders]
    .toSorted(([, left], [, right]) => left.placedAtMs - right.placedAtMs)
    .slice(0, ORDERS_SHOWN);
  fillRows(
    byId("order-rows", HTMLElement),
    oldest.map(([order, { placedAtMs, store, courier, isAccepted }]) => ({
      key: order,
      isMarked: order === marked,
      cells: [
        { text: order, href: storyLink(head.city, order) },
        { text: sayAge(nowMs - placedAtMs), look: "number" },
        { text: store },
        { text: courier === null ? "nobody yet" : `${courier}${isAccepted ? ", accepted" : ""}` },
      ],
    })),
  );
}

function drawConditions(conditions: ReadonlyMap<string, Condition>): void {
  const ordered = CONDITION_ORDER.flatMap((type) => {
    const condition = conditions.get(type);
    return condition === undefined ? [] : [{ type, ...condition }];
  });
  fillRows(
    byId("condition-rows", HTMLElement),
    ordered.map(({ type, status, reason, message }) => {
      const isWell = status === (type === "Suspended" ? "False" : "True");
      const cells = [{ text: type }, { text: status, look: isWell ? "" : "bad" }, { text: reason }];
      return { key: type, cells: [...cells, { text: message }] };
    }),
  );
}

function drawClaims(claims: ReadonlyMap<string, Claim>): void {
  const newest = [...claims].toSorted(([left], [right]) => Number(right) - Number(left));
  fillRows(
    byId("claim-rows", HTMLElement),
    newest.map(([key, { claimedAtMs, holder, epoch, token, tick }]) => ({
      key,
      cells: [
        { text: sayTime(claimedAtMs) },
        { text: holder === null ? "sealed: nobody" : sayWorker(holder) },
        { text: epoch },
        { text: token },
        { text: tick, look: "number" },
      ],
    })),
  );
}
