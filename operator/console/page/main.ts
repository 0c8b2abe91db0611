import { clearCityPage, drawCityPage } from "./city-page.ts";
import { readColours } from "./colours.ts";
import { byId, setText } from "./elements.ts";
import { createFleetPage } from "./fleet-page.ts";
import { sayTime } from "./health.ts";
import type { FleetHead, WorkerTile } from "./picture.ts";
import { parseRoute, type Route } from "./route.ts";
import { hideStory, showStory } from "./story.ts";
import { itemsOf, openStream, type Stream, type StreamState } from "./stream.ts";

/** The page: the fleet's stream is always open, a city's as long as its page is. Drawn once per message and per second. */

const REDRAW_MS = 1_000;

let colours = readColours();
let route: Route = { kind: "fleet" };
let cityStream: Stream | undefined;
let telling = new AbortController();
let isDrawing = false;

const fleetMain = byId("fleet", HTMLElement);
const cityMain = byId("city", HTMLElement);
const fleetPage = createFleetPage((city) => {
  location.hash = `#/city/${city}`;
}, drawSoon);
const fleetStream = openStream("/stream/fleet", { picture: drawSoon, state: showConnection });

function drawSoon(): void {
  if (isDrawing) return;
  isDrawing = true;
  requestAnimationFrame(() => {
    isDrawing = false;
    const startedMs = performance.now();
    draw();
    performance.measure("draw", { start: startedMs, end: performance.now() });
  });
}

function draw(): void {
  drawHeader();
  if (route.kind === "fleet") fleetPage.draw(fleetStream, colours);
  else if (cityStream !== undefined) {
    const workers = [...itemsOf<WorkerTile>(fleetStream.picture, "workers").keys()].toSorted();
    drawCityPage(cityStream, { workers, order: route.order, colours });
  }
}

function drawHeader(): void {
  const head = fleetStream.picture.head as unknown as Partial<FleetHead>;
  if (head.replica === undefined) return;
  const pill = (id: string, text: string, isBad: boolean): void => {
    const element = byId(id, HTMLParagraphElement);
    setText(element, text);
    element.classList.toggle("bad", isBad);
  };
  pill("replica", `${head.replica}, ${head.isLeading ? "leads" : "stands by"}`, false);
  pill(
    "database",
    head.isDatabaseReachable ? "MySQL answers" : "MySQL does not answer",
    !head.isDatabaseReachable,
  );
  const authority = {
    ours: `authority: this cluster, epoch ${head.epoch ?? "?"}`,
    foreign: "authority: another cluster",
    unknown: "authority: not known yet",
  }[head.authority ?? "unknown"];
  pill("authority", authority, head.authority !== "ours");
  const trouble = byId("trouble", HTMLParagraphElement);
  trouble.hidden = head.trouble === null;
  setText(
    trouble,
    head.trouble === null ? "" : `This replica does not see the fleet as it is: ${head.trouble}`,
  );
}

function showConnection(state: StreamState): void {
  const element = byId("connection", HTMLParagraphElement);
  const words: Readonly<Record<StreamState, string>> = {
    connecting: "connecting",
    live: "live",
    lost: `lost at ${sayTime(Date.now())} UTC, trying again`,
  };
  element.classList.toggle("bad", state === "lost");
  setText(element, words[state]);
}

function follow(): void {
  const previous = route;
  route = parseRoute(location.hash);
  fleetMain.hidden = route.kind !== "fleet";
  cityMain.hidden = route.kind !== "city";
  telling.abort();
  if (route.kind === "fleet") {
    document.title = "City console";
    cityStream?.close();
    cityStream = undefined;
    hideStory();
    if (previous.kind === "city") byId("grid", HTMLDivElement).focus();
  } else followCity(route, previous);
  drawSoon();
}

function followCity(next: Route & { readonly kind: "city" }, previous: Route): void {
  const isOther = previous.kind !== "city" || previous.city !== next.city || cityStream === undefined;
  document.title = `${next.city} · City console`;
  if (isOther) {
    cityStream?.close();
    clearCityPage(next.city);
    const query = new URLSearchParams({ city: next.city });
    cityStream = openStream(`/stream/city?${query.toString()}`, {
      picture: drawSoon,
      state: (state) => {
        const lost =
          state === "lost"
            ? "What is shown of this city is old: its stream is lost or too many are open."
            : "";
        setText(byId("city-note", HTMLParagraphElement), lost);
      },
    });
  }
  if (next.order === undefined) {
    hideStory();
    if (isOther) cityMain.focus();
    return;
  }
  telling = new AbortController();
  void showStory(next.city, next.order, telling.signal);
}

addEventListener("hashchange", follow);
addEventListener("resize", drawSoon);
addEventListener("keydown", (event) => {
  const isTyping = event.target instanceof HTMLInputElement || event.target instanceof HTMLSelectElement;
  if (event.key === "/" && !isTyping && route.kind === "fleet") {
    event.preventDefault();
    byId("search", HTMLInputElement).focus();
  }
  if (event.key !== "Escape") return;
  if (route.kind === "city") location.hash = route.order === undefined ? "#/" : `#/city/${route.city}`;
  else if (isTyping) byId("grid", HTMLDivElement).focus();
});
byId("skip", HTMLAnchorElement).addEventListener("click", (event) => {
  event.preventDefault();
  (route.kind === "fleet" ? byId("grid", HTMLDivElement) : cityMain).focus();
});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  colours = readColours();
  drawSoon();
});
// Ages grow also while nothing comes.
setInterval(drawSoon, REDRAW_MS);
follow();
