import { holderColour, type Colours } from "./colours.ts";
import { byId, contextOf, setText } from "./elements.ts";
import { cornerOf, heightOf, indexAfterKey, indexAt, layoutOf, type GridLayout } from "./grid.ts";
import { LEVEL_WORDS, sayAge, sayWorker, type Health, type Level } from "./health.ts";
import type { CityTile } from "./picture.ts";

/**
 * The cities as one canvas: ten thousand of them are a few milliseconds of drawing, and would be seconds of elements. For the
 * keyboard and for screen readers it is a list box with one option, which lies over the active cell and says what it is.
 */

export type GridCity = { readonly name: string; readonly tile: CityTile; readonly health: Health };

export type FleetGrid = {
  /** Draws these, in this order. */
  draw(cities: readonly GridCity[], workers: readonly string[], colours: Colours): void;
};

const TEXT_INSET = 9;
/** What tells levels apart without colours, where there is room for text. */
const SIGNS: Readonly<Partial<Record<Level, string>>> = { stalled: "! ", late: "– ", suspended: "‖ " };

export function createFleetGrid(onOpen: (city: string) => void): FleetGrid {
  const box = byId("grid", HTMLDivElement);
  const canvas = byId("grid-canvas", HTMLCanvasElement);
  const active = byId("grid-active", HTMLDivElement);
  let cities: readonly GridCity[] = [];
  let layout: GridLayout = layoutOf(0, 1);
  // By name: cities come and go, and change their place with the order.
  let activeName: string | undefined;

  const activeIndex = (): number =>
    Math.max(
      0,
      cities.findIndex(({ name }) => name === activeName),
    );

  function showActive(): void {
    const index = activeIndex();
    const city = cities[index];
    active.hidden = city === undefined;
    if (city === undefined) {
      box.removeAttribute("aria-activedescendant");
      return;
    }
    activeName = city.name;
    const { x, y } = cornerOf(index, layout);
    active.style.transform = `translate(${x}px, ${y}px)`;
    active.style.width = `${layout.cellWidth}px`;
    active.style.height = `${layout.cellHeight}px`;
    active.setAttribute("aria-posinset", String(index + 1));
    active.setAttribute("aria-setsize", String(cities.length));
    box.setAttribute("aria-activedescendant", active.id);
    box.title = layout.detail === "full" ? "" : sayCity(city);
    setText(active, sayCity(city));
  }

  function moveTo(index: number): void {
    activeName = cities[index]?.name;
    showActive();
    active.scrollIntoView({ block: "nearest" });
  }

  function indexUnder(event: MouseEvent): number | undefined {
    const { left, top } = canvas.getBoundingClientRect();
    return indexAt({ x: event.clientX - left, y: event.clientY - top }, cities.length, layout);
  }

  box.addEventListener("keydown", (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      if (activeName !== undefined) onOpen(activeName);
      return;
    }
    const index = indexAfterKey(event.key, activeIndex(), cities.length, layout);
    if (index === undefined) return;
    event.preventDefault();
    moveTo(index);
  });
  box.addEventListener("click", (event) => {
    const index = indexUnder(event);
    const name = index === undefined ? undefined : cities[index]?.name;
    if (name !== undefined) onOpen(name);
  });
  box.addEventListener("mousemove", (event) => {
    const index = indexUnder(event);
    const city = index === undefined ? undefined : cities[index];
    box.title = city === undefined ? "" : sayCity(city);
  });

  return {
    draw(next, workers, colours) {
      cities = next;
      const { width } = box.getBoundingClientRect();
      layout = layoutOf(cities.length, width);
      const context = contextOf(canvas, { width, height: heightOf(layout) });
      cities.forEach((city, index) => drawCell(context, { city, index, layout, workers, colours }));
      showActive();
    },
  };
}

export function sayCity({ name, tile, health }: GridCity): string {
  const holder = tile.worker === null ? "nobody has it" : `on ${sayWorker(tile.worker)}`;
  const commit = health.ageMs === undefined ? "no commit yet" : `last commit ${sayAge(health.ageMs)} ago`;
  return `${name}: ${LEVEL_WORDS[health.level]}, ${commit}, every ${sayAge(tile.periodMs)}, ${holder}`;
}

type CellInput = {
  readonly city: GridCity;
  readonly index: number;
  readonly layout: GridLayout;
  readonly workers: readonly string[];
  readonly colours: Colours;
};

function drawCell(context: CanvasRenderingContext2D, input: CellInput): void {
  const { city, index, layout, colours } = input;
  const { level } = city.health;
  const { x, y } = cornerOf(index, layout);
  const { cellWidth: width, cellHeight: height, detail } = layout;
  context.fillStyle = colours.level[level];
  if (detail === "none") context.fillRect(x, y, width, height);
  else {
    context.beginPath();
    context.roundRect(x, y, width, height, 5);
    context.fill();
  }
  drawMark(context, { x, y, width, height }, input);
  if (detail !== "none") drawText(context, { x, y, width, height }, input);
}

type Box = { readonly x: number; readonly y: number; readonly width: number; readonly height: number };

/** The same where there is none. */
function drawMark(context: CanvasRenderingContext2D, box: Box, { city, colours }: CellInput): void {
  const { level } = city.health;
  const { x, y, width, height } = box;
  context.strokeStyle = colours.onLevel[level];
  context.fillStyle = colours.onLevel[level];
  context.lineWidth = 1;
  if (level === "waiting" || level === "unheld") {
    context.setLineDash(level === "unheld" ? [3, 2] : []);
    context.strokeRect(x + 0.5, y + 0.5, width - 1, height - 1);
    context.setLineDash([]);
  }
  if (width > 30) return;
  const unit = Math.max(1, Math.floor(width / 8));
  const middle = x + width / 2;
  if (level === "stalled") {
    context.fillRect(middle - unit / 2, y + 2, unit, height - 4 - 2 * unit);
    context.fillRect(middle - unit / 2, y + height - 2 - unit, unit, unit);
  } else if (level === "late") context.fillRect(x + 2, y + height / 2 - unit / 2, width - 4, unit);
  else if (level === "suspended") {
    context.fillRect(middle - 1.5 * unit, y + 3, unit, height - 6);
    context.fillRect(middle + 0.5 * unit, y + 3, unit, height - 6);
  }
}

function drawText(context: CanvasRenderingContext2D, box: Box, input: CellInput): void {
  const { city, layout, workers, colours } = input;
  const { x, y, width } = box;
  const { tile, health } = city;
  const room = width - 2 * TEXT_INSET;
  context.textBaseline = "alphabetic";
  context.fillStyle = colours.onLevel[health.level];
  const sign = SIGNS[health.level] ?? "";
  if (layout.detail === "name") {
    context.font = "12px system-ui, sans-serif";
    context.fillText(fit(context, `${sign}${city.name}`, room), x + TEXT_INSET, y + 16);
    return;
  }
  context.font = "600 13px system-ui, sans-serif";
  context.fillText(fit(context, `${sign}${city.name}`, room - 44), x + TEXT_INSET, y + 21);
  context.font = "12px system-ui, sans-serif";
  context.textAlign = "right";
  context.fillText(sayAge(health.ageMs), x + width - TEXT_INSET, y + 21);
  context.textAlign = "left";
  const holder = tile.worker === null ? LEVEL_WORDS[health.level] : sayWorker(tile.worker);
  context.fillText(fit(context, holder, room - 14), x + TEXT_INSET + (tile.worker === null ? 0 : 14), y + 43);
  if (tile.worker === null) return;
  context.fillStyle = holderColour(tile.worker, workers, colours);
  context.beginPath();
  context.roundRect(x + TEXT_INSET, y + 34, 9, 9, 2);
  context.fill();
}

/** As much of the text as there is room for. */
function fit(context: CanvasRenderingContext2D, text: string, room: number): string {
  if (context.measureText(text).width <= room) return text;
  let length = Math.floor((text.length * room) / context.measureText(text).width);
  while (length > 0 && context.measureText(`${text.slice(0, length)}…`).width > room) length--;
  return `${text.slice(0, length)}…`;
}
