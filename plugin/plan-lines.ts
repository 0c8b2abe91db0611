import { loadsOf } from "../operator/cities/loads.ts";
import type { FleetView } from "../operator/cities/view.ts";
import type { Plan } from "./plan.ts";
import { shortNames, table } from "./text.ts";

/** A forecast for people. Pure. */

const MOVES_SHOWN = 40;

export function planLines(before: FleetView, { moves, waits, after }: Plan): string[] {
  const short = shortNames([...after.workers.keys()]);
  const shown = moves.slice(0, MOVES_SHOWN);
  const hidden = moves.length - shown.length;
  return [
    ...(moves.length === 0
      ? ["nothing would be moved"]
      : table(
          ["CITY", "FROM", "TO", "BECAUSE", "AFTER"],
          shown.map(({ city, from, to, because, afterSeconds }) => [
            city,
            from === undefined ? "-" : short(from),
            short(to),
            because,
            `${afterSeconds}s`,
          ]),
        )),
    ...(hidden === 0 ? [] : [`… and ${counted(hidden, "move")} more`]),
    "",
    ...table(["WORKER", "STATE", "CITIES", "THEN", "LOAD", "THEN"], workerRows(before, after, short)),
    "",
    ...(waits.length === 0
      ? [`${counted(moves.length, "move")}, and every city is where it should be`]
      : [
          `${counted(moves.length, "move")}; in the end these are not as they should be:`,
          ...waits.slice(0, MOVES_SHOWN).map(({ city, because }) => `  ${city}  ${because}`),
        ]),
  ];
}

function workerRows(before: FleetView, after: FleetView, short: (id: string) => string): string[][] {
  const [loadsBefore, loadsAfter] = [loadsOf(before), loadsOf(after)];
  const count = ({ cities }: FleetView, worker: string): string =>
    String(cities.filter(({ lease }) => lease?.worker === worker).length);
  const percent = (load: number): string => `${Math.round(load * 100)}%`;
  return [...after.workers.values()].map((worker) => [
    short(worker.id),
    worker.liveness,
    count(before, worker.id),
    count(after, worker.id),
    percent(loadsBefore.of(worker)),
    percent(loadsAfter.of(worker)),
  ]);
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? "" : "s"}`;
}
