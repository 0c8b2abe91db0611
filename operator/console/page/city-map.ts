import type { Colours } from "./colours.ts";
import { byId, contextOf, setText } from "./elements.ts";
import {
  ageStepOf,
  AGE_WORDS,
  assignmentsOf,
  projectionOf,
  sayMap,
  storesOf,
  type Project,
} from "./map-view.ts";
import type { CityHead, DecisionLine, MapCourier, MapOrder } from "./picture.ts";

/** The map of a city: stores, open orders by age, couriers, and what the last explained tick decided. */

export type MapInput = {
  readonly head: CityHead;
  readonly orders: ReadonlyMap<string, MapOrder>;
  readonly couriers: ReadonlyMap<string, MapCourier>;
  readonly decisions: ReadonlyMap<string, DecisionLine>;
  readonly nowMs: number;
  readonly colours: Colours;
};

const ASPECT = 0.62;
const TURN = 2 * Math.PI;

export function drawMap(input: MapInput): void {
  const { head, orders, couriers, nowMs, colours } = input;
  const canvas = byId("map", HTMLCanvasElement);
  const { width } = canvas.getBoundingClientRect();
  const size = { width, height: Math.round(width * ASPECT) };
  const context = contextOf(canvas, size);
  const places = [...orders.values()].flatMap((order) => [
    order,
    { latitude: order.storeLatitude, longitude: order.storeLongitude },
  ]);
  const project = projectionOf([...places, ...couriers.values()], size);
  drawOrders(context, project, input);
  drawAssignments(context, project, input);
  drawStores(context, project, input);
  drawCouriers(context, project, input);
  const cut = head.isMapCut ? " There are more than are shown: the oldest orders are." : "";
  const summary =
    head.mapTrouble === null
      ? `${sayMap(orders, couriers, nowMs)}${cut}`
      : `The views of the data contract cannot be read (${head.mapTrouble}): what is shown of them is old.`;
  setText(byId("map-summary", HTMLParagraphElement), summary);
  drawLegend(colours);
}

function drawOrders(
  context: CanvasRenderingContext2D,
  project: Project,
  { orders, nowMs, colours }: MapInput,
): void {
  for (const order of orders.values()) {
    const door = project(order);
    const store = project({ latitude: order.storeLatitude, longitude: order.storeLongitude });
    context.strokeStyle = colours.line;
    context.lineWidth = 1;
    context.beginPath();
    context.moveTo(store.x, store.y);
    context.lineTo(door.x, door.y);
    context.stroke();
    context.strokeStyle = colours.ages[ageStepOf(nowMs - order.placedAtMs)] ?? colours.ink;
    context.fillStyle = context.strokeStyle;
    context.lineWidth = 2;
    context.beginPath();
    context.arc(door.x, door.y, order.courier === null ? 4.5 : 3.5, 0, TURN);
    // Hollow: nobody has it.
    if (order.courier === null) context.stroke();
    else context.fill();
  }
}

function drawAssignments(context: CanvasRenderingContext2D, project: Project, input: MapInput): void {
  context.strokeStyle = input.colours.focus;
  context.lineWidth = 2;
  for (const { from, to } of assignmentsOf(input.decisions, input.orders, input.couriers)) {
    const start = project(from);
    const end = project(to);
    context.beginPath();
    context.moveTo(start.x, start.y);
    context.lineTo(end.x, end.y);
    context.stroke();
  }
}

function drawStores(
  context: CanvasRenderingContext2D,
  project: Project,
  { orders, colours }: MapInput,
): void {
  for (const store of storesOf(orders)) {
    const { x, y } = project(store);
    context.fillStyle = colours.ink;
    context.fillRect(x - 4, y - 4, 8, 8);
  }
}

function drawCouriers(
  context: CanvasRenderingContext2D,
  project: Project,
  { couriers, colours }: MapInput,
): void {
  context.lineWidth = 1.5;
  for (const courier of couriers.values()) {
    const { x, y } = project(courier);
    context.strokeStyle = colours.faint;
    context.fillStyle = colours.faint;
    context.beginPath();
    context.moveTo(x, y - 5);
    context.lineTo(x + 4.5, y + 3.5);
    context.lineTo(x - 4.5, y + 3.5);
    context.closePath();
    // Hollow: idle.
    if (courier.load === 0) context.stroke();
    else context.fill();
  }
}

function drawLegend(colours: Colours): void {
  const list = byId("map-legend", HTMLUListElement);
  const signs: readonly (readonly [sign: string, words: string, colour: string])[] = [
    ["■", "store", colours.ink],
    ["△", "idle courier", colours.faint],
    ["▲", "busy courier", colours.faint],
    ["━", "given by the last explained tick", colours.focus],
    ["○", "nobody has it yet", colours.ink],
    ...AGE_WORDS.map((age, step) => ["●", `order ${age}`, colours.ages[step] ?? colours.ink] as const),
  ];
  signs.forEach(([sign, words, colour], index) => {
    let item = list.children[index];
    if (item === undefined) {
      item = document.createElement("li");
      const mark = document.createElement("span");
      mark.textContent = sign;
      item.append(mark, words);
      list.append(item);
    }
    const [mark] = item.children;
    if (mark instanceof HTMLElement) mark.style.color = colour;
  });
}
