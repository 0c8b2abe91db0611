import { meanOf, type Figures } from "./figures.ts";

/** How days are put together, and what others published about them. */

/** Of the library's 240 days, or of those with a known optimum; undefined where it was not said. */
type Published = { readonly what: string } & { readonly [figure in keyof Figures]?: number };

const OF_ALL_DAYS: readonly Published[] = [
  { what: "published: Reyes, rolling horizon", ...published(0.25, 32.74, 1.93) },
  { what: "published: Reyes, integer program", ...published(0.25, 32.64, 1.91) },
  { what: "published: FoodMatch", ...published(0.47, 31.8, 1.92) },
  { what: "published: greedy at placement", ...published(3.3, 47.08, 16.67) },
];
const OF_OPTIMA: readonly Published[] = [
  { what: "published: clairvoyant optimum", clickToDoor: 30.67 },
  { what: "published: Reyes, rolling horizon", clickToDoor: 31.88 },
];

/** The published means are of all of them. */
const OPTIMA = 16;

/** Seed 0 at half its size: the days whose clairvoyant optimum is known. */
function hasOptimum(instance: string): boolean {
  return /^0[or]50/.test(instance);
}

export function heading(): string {
  const names = ["undelivered %", "click-to-door", "p90", "ready-to-pickup", "orders/bundle", "cost/order"];
  return `${"".padEnd(36)}${names.map((name) => name.padStart(17)).join("")}\n`;
}

export function line(what: string, figures: { readonly [figure in keyof Figures]?: number }): string {
  const cells = [
    figures.undeliveredPercent,
    figures.clickToDoor,
    figures.clickToDoorP90,
    figures.readyToPickup,
    figures.ordersPerBundle,
    figures.costPerOrder,
  ].map((value) => (value === undefined ? "-" : value.toFixed(2)).padStart(17));
  return `${what.padEnd(36)}${cells.join("")}\n`;
}

/** The means of all days and of each group, beside what is published. */
export function summary(days: ReadonlyMap<string, Figures>): string {
  const names = [...days.keys()];
  const of = (what: string, belongs: (instance: string) => boolean): string => {
    const group = names.filter(belongs).flatMap((name) => days.get(name) ?? []);
    return group.length === 0 ? "" : line(`${what}, ${group.length} days`, meanOf(group));
  };
  const seeds = [...new Set(names.map((name) => /^\d+/.exec(name)?.[0] ?? ""))].sort();
  return [
    of("all", () => true),
    ...OF_ALL_DAYS.map((one) => line(one.what, one)),
    ...seeds.map((seed) => of(`city ${seed}`, (name) => new RegExp(`^${seed}\\D`).test(name))),
    of("historical shifts", (name) => name.includes("s1")),
    of("optimised shifts", (name) => name.includes("s2")),
    of("optimum known", hasOptimum),
    ...(names.filter(hasOptimum).length === OPTIMA ? OF_OPTIMA.map((one) => line(one.what, one)) : []),
  ].join("");
}

function published(
  undeliveredPercent: number,
  clickToDoor: number,
  readyToPickup: number,
): Pick<Published, keyof Figures> {
  return { undeliveredPercent, clickToDoor, readyToPickup };
}
