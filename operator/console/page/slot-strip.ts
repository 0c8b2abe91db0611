import { holderColour, type Colours } from "./colours.ts";
import { byId, contextOf, setText } from "./elements.ts";
import { sayTime, sayWorker } from "./health.ts";
import type { SlotTick } from "./picture.ts";
import { GAP_SHOWN_MAX, missedOf, sayMissed, slotsOf, tenuresOf, type Slot } from "./slots.ts";

/** The slots of a city as a strip: a bar per slot in its holder's colour, and a hole where nothing was committed. */

export type StripInput = {
  readonly ticks: ReadonlyMap<string, SlotTick>;
  readonly workers: readonly string[];
  readonly colours: Colours;
};

const HEIGHT = 74;
const BAR_TOP = 14;
const BAR_BOTTOM = 56;
const BAR_WIDTH_MAX = 12;
const LABEL_EVERY_PX = 110;

export function drawStrip({ ticks, workers, colours }: StripInput): void {
  const canvas = byId("slots", HTMLCanvasElement);
  const { width } = canvas.getBoundingClientRect();
  const context = contextOf(canvas, { width, height: HEIGHT });
  const slots = slotsOf(ticks);
  const cells = slots.reduce((sum, slot) => sum + cellsOf(slot), 0);
  const step = Math.min(BAR_WIDTH_MAX, width / Math.max(1, cells));
  let x = 0;
  let labelledX = -Infinity;
  context.font = "11px system-ui, sans-serif";
  for (const slot of slots) {
    const extent = cellsOf(slot) * step;
    if (slot.kind === "missed") drawHole(context, { x, extent, slot }, colours);
    else drawBar(context, { x, step, slot }, holderColour(slot.tick.holder, workers, colours), colours);
    if (x - labelledX >= LABEL_EVERY_PX && x + 50 < width) {
      context.fillStyle = colours.faint;
      context.fillText(sayTime(slot.slotMs), x, HEIGHT - 4);
      labelledX = x;
    }
    x += extent;
  }
  setText(byId("slots-summary", HTMLParagraphElement), sayStrip(slots));
  drawLegend(slots, workers, colours);
}

function cellsOf(slot: Slot): number {
  return slot.kind === "missed" ? Math.min(slot.count, GAP_SHOWN_MAX) : 1;
}

function drawBar(
  context: CanvasRenderingContext2D,
  {
    x,
    step,
    slot,
  }: { readonly x: number; readonly step: number; readonly slot: Slot & { kind: "committed" } },
  colour: string,
  colours: Colours,
): void {
  const gap = step > 4 ? 1 : 0;
  context.fillStyle = colour;
  context.fillRect(x, BAR_TOP, step - gap, BAR_BOTTOM - BAR_TOP);
  // A degraded tick has a notch in it, one with dropped decisions a dot above.
  if (slot.tick.degraded > 0) {
    context.fillStyle = colours.panel;
    context.fillRect(x, BAR_TOP + 6, step - gap, 6);
  }
  if (slot.tick.dropped > 0) {
    context.fillStyle = colours.ink;
    context.fillRect(x + step / 2 - 1, BAR_TOP - 6, 2, 4);
  }
}

function drawHole(
  context: CanvasRenderingContext2D,
  hole: { readonly x: number; readonly extent: number; readonly slot: Slot & { kind: "missed" } },
  colours: Colours,
): void {
  const { x, extent, slot } = hole;
  context.strokeStyle = colours.level.stalled;
  context.lineWidth = 1.5;
  context.setLineDash([3, 2]);
  context.strokeRect(x + 1, BAR_TOP + 0.75, Math.max(1, extent - 2), BAR_BOTTOM - BAR_TOP - 1.5);
  context.setLineDash([]);
  context.fillStyle = colours.onLevel.unheld;
  context.textAlign = "center";
  context.fillText(String(slot.count), x + extent / 2, BAR_TOP - 3);
  context.textAlign = "left";
}

function sayStrip(slots: readonly Slot[]): string {
  const ticks = slots.filter((slot) => slot.kind === "committed");
  const [first] = ticks;
  const last = ticks.at(-1);
  if (first === undefined || last === undefined) return "No tick is in the ledger yet.";
  const tenures = tenuresOf(slots).map(
    ({ holder, firstTick, lastTick }) => `${sayWorker(holder)} (ticks ${firstTick} to ${lastTick})`,
  );
  const degraded = ticks.filter((slot) => slot.kind === "committed" && slot.tick.degraded > 0).length;
  const shown = tenures.length > 4 ? ["…", ...tenures.slice(-4)] : tenures;
  return `The last ${ticks.length} ticks, from ${sayTime(first.slotMs)} to ${sayTime(last.slotMs)} UTC: ${sayMissed(missedOf(slots))}, ${degraded} degraded. Held by ${shown.join(", then ")}.`;
}

function drawLegend(slots: readonly Slot[], workers: readonly string[], colours: Colours): void {
  const list = byId("slots-legend", HTMLUListElement);
  const holders = [...new Set(tenuresOf(slots).map(({ holder }) => holder))];
  const marks = [...holders.map(sayWorker), "missed"];
  while (list.children.length > marks.length) list.lastElementChild?.remove();
  marks.forEach((text, index) => {
    let item = list.children[index];
    if (item === undefined) {
      item = document.createElement("li");
      const swatch = document.createElement("span");
      swatch.className = "swatch";
      item.append(swatch, document.createElement("span"));
      list.append(item);
    }
    const [swatch, label] = item.children;
    const holder = holders[index];
    if (swatch instanceof HTMLElement) {
      swatch.style.background = holder === undefined ? "transparent" : holderColour(holder, workers, colours);
      swatch.style.border = holder === undefined ? `1px dashed ${colours.level.stalled}` : "";
    }
    if (label instanceof HTMLElement) setText(label, text);
  });
}
