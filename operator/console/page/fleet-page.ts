import type { Colours } from "./colours.ts";
import { byId, fillRows, keyOfClick, setText, type RowOf } from "./elements.ts";
import { createFleetGrid, type GridCity } from "./fleet-grid.ts";
import {
  healthOf,
  isTroubled,
  LEVEL_WORDS,
  LEVELS,
  sayAge,
  sayTime,
  sayWorker,
  urgencyOf,
} from "./health.ts";
import type { CityTile, FleetHead, Move, WorkerTile } from "./picture.ts";
import { itemsOf, type Stream } from "./stream.ts";

/** The fleet: its grid of cities, those in trouble, the workers, and the moves. */

export type FleetPage = { draw(stream: Stream, colours: Colours): void };

const TROUBLED_SHOWN = 8;
const MOVES_SHOWN = 60;

type Cities = ReadonlyMap<string, CityTile>;

export function createFleetPage(onOpen: (city: string) => void, onRefine: () => void): FleetPage {
  const grid = createFleetGrid(onOpen);
  const search = byId("search", HTMLInputElement);
  const order = byId("order", HTMLSelectElement);
  const empty = byId("grid-empty", HTMLParagraphElement);
  search.addEventListener("input", onRefine);
  order.addEventListener("change", onRefine);
  let told = "";

  // A worker's name shows its cities alone, and all again.
  byId("worker-rows", HTMLElement).addEventListener("click", (event) => {
    const worker = keyOfClick(event);
    if (worker === undefined) return;
    search.value = search.value === worker ? "" : worker;
    onRefine();
  });

  return {
    draw(stream, colours) {
      const nowMs = stream.nowMs();
      if (nowMs === undefined) return;
      const tiles: Cities = itemsOf<CityTile>(stream.picture, "cities");
      const workers = itemsOf<WorkerTile>(stream.picture, "workers");
      const all = [...tiles].map(([name, tile]) => ({ name, tile, health: healthOf(tile, nowMs) }));
      const wanted = search.value.trim().toLowerCase();
      const shown = sortCities(
        all.filter(({ name, tile }) => name.includes(wanted) || (tile.worker ?? "").includes(wanted)),
        order.value,
      );
      const ids = [...workers.keys()].toSorted();
      grid.draw(shown, ids, colours);
      empty.hidden = shown.length > 0;
      setText(
        empty,
        all.length === 0 ? "There are no Cities yet." : "No city has that in its name or worker.",
      );
      drawCounts(all);
      drawTroubled(all);
      drawWorkers(workers, all, search.value);
      drawMoves(stream);
      const news = newsOf(all);
      if (news !== told) setText(byId("news", HTMLParagraphElement), news);
      told = news;
    },
  };
}

function sortCities(cities: readonly GridCity[], order: string): readonly GridCity[] {
  const byName = (left: GridCity, right: GridCity): number => (left.name < right.name ? -1 : 1);
  return cities.toSorted((left, right) => {
    if (order === "urgency") {
      const urgency = urgencyOf(left.health.level) - urgencyOf(right.health.level);
      if (urgency !== 0) return urgency;
    }
    if (order === "worker" && left.tile.worker !== right.tile.worker)
      return (left.tile.worker ?? "") < (right.tile.worker ?? "") ? -1 : 1;
    return byName(left, right);
  });
}

/** What a screen reader hears when it changes. */
function newsOf(cities: readonly GridCity[]): string {
  const troubled = cities.filter(({ health }) => isTroubled(health.level));
  if (troubled.length === 0) return "no city needs a look";
  const names = troubled.slice(0, 3).map(({ name, health }) => `${name} ${LEVEL_WORDS[health.level]}`);
  return `${troubled.length} of ${cities.length} cities need a look: ${names.join(", ")}`;
}

function drawCounts(cities: readonly GridCity[]): void {
  const list = byId("counts", HTMLUListElement);
  if (list.children.length === 0) {
    for (const level of LEVELS) {
      const item = document.createElement("li");
      const swatch = document.createElement("span");
      swatch.className = `swatch level-${level}`;
      item.append(swatch, document.createElement("b"), LEVEL_WORDS[level]);
      list.append(item);
    }
  }
  LEVELS.forEach((level, index) => {
    const count = cities.filter(({ health }) => health.level === level).length;
    const item = list.children[index];
    if (!(item instanceof HTMLElement)) return;
    // The scale is always there, the exceptions when there are any.
    item.hidden = count === 0 && !["on-time", "behind", "late", "stalled"].includes(level);
    const number = item.querySelector("b");
    if (number !== null) setText(number, count.toLocaleString("en"));
  });
}

function drawTroubled(cities: readonly GridCity[]): void {
  const troubled = cities
    .filter(({ health }) => isTroubled(health.level))
    .toSorted((left, right) => urgencyOf(left.health.level) - urgencyOf(right.health.level));
  byId("troubled", HTMLElement).hidden = troubled.length === 0;
  const more = troubled.length > TROUBLED_SHOWN ? `: ${TROUBLED_SHOWN} of ${troubled.length}` : "";
  setText(byId("troubled-title", HTMLHeadingElement), `Needs a look${more}`);
  fillRows(
    byId("troubled-rows", HTMLElement),
    troubled.slice(0, TROUBLED_SHOWN).map(({ name, tile, health }) => ({
      key: name,
      cells: [
        { text: name, href: `#/city/${name}` },
        { text: LEVEL_WORDS[health.level], badge: `level level-${health.level}` },
        { text: sayAge(health.ageMs), look: "number" },
        { text: sayWorker(tile.worker) },
        { text: tile.message === "" ? tile.reason : tile.message },
      ],
    })),
  );
}

function drawWorkers(
  workers: ReadonlyMap<string, WorkerTile>,
  cities: readonly GridCity[],
  wanted: string,
): void {
  const held = Map.groupBy(cities, ({ tile }) => tile.worker ?? "");
  const rows = [...workers]
    .toSorted(([left], [right]) => (left < right ? -1 : 1))
    .map(([id, worker]): RowOf => {
      const count = held.get(id)?.length ?? 0;
      const trouble = worker.isDatabaseReachable ? "" : ", no database";
      const isWell = worker.liveness === "live" && worker.isDatabaseReachable;
      return {
        key: id,
        isMarked: wanted === id,
        cells: [
          { text: sayWorker(id), isButton: true },
          { text: `${worker.liveness}${trouble}`, look: isWell ? "" : "bad" },
          { text: count.toLocaleString("en"), look: "number" },
          { text: worker.zone },
          { text: worker.version },
        ],
      };
    });
  fillRows(byId("worker-rows", HTMLElement), rows);
}

function drawMoves({ picture }: Stream): void {
  const head = picture.head as unknown as FleetHead;
  const since = `Seen by this replica since ${sayTime(head.watchedSinceMs)} UTC, once a second`;
  setText(byId("moves-since", HTMLParagraphElement), `${since}; all are in the Cities' events.`);
  setText(
    byId("workers-hint", HTMLParagraphElement),
    head.isLeading
      ? ""
      : "This replica stands by: a silent worker stays late here until the leader has found it gone.",
  );
  const moves = [...itemsOf<Move>(picture, "moves")].toReversed().slice(0, MOVES_SHOWN);
  fillRows(
    byId("move-rows", HTMLElement),
    moves.map(([key, { atMs, city, from, to, because }]) => ({
      key,
      cells: [
        { text: sayTime(atMs) },
        { text: city, href: `#/city/${city}` },
        { text: sayWorker(from) },
        { text: sayWorker(to) },
        { text: because ?? "unknown" },
      ],
    })),
  );
}
