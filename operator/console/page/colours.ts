import type { Level } from "./health.ts";

/** The page's colours, as `page.css` has them for light and for dark; canvases need them as values. */

export type Colours = {
  readonly ground: string;
  readonly panel: string;
  readonly ink: string;
  readonly faint: string;
  readonly line: string;
  readonly focus: string;
  readonly level: Readonly<Record<Level, string>>;
  /** What is written on a cell of that level. */
  readonly onLevel: Readonly<Record<Level, string>>;
  readonly holders: readonly string[];
  readonly ages: readonly string[];
};

const HOLDERS = 8;
const AGES = 4;

export function readColours(): Colours {
  const style = getComputedStyle(document.documentElement);
  const value = (name: string): string => style.getPropertyValue(`--${name}`).trim();
  const list = (name: string, count: number): string[] =>
    Array.from({ length: count }, (_, index) => value(`${name}-${index + 1}`));
  const byLevel = (prefix: string): Record<Level, string> => ({
    "on-time": value(`${prefix}on-time`),
    behind: value(`${prefix}behind`),
    late: value(`${prefix}late`),
    stalled: value(`${prefix}stalled`),
    waiting: value(`${prefix}waiting`),
    unheld: value(`${prefix}unheld`),
    suspended: value(`${prefix}suspended`),
  });
  return {
    ground: value("ground"),
    panel: value("panel"),
    ink: value("ink"),
    faint: value("faint"),
    line: value("line"),
    focus: value("focus"),
    level: byLevel(""),
    onLevel: byLevel("on-"),
    holders: list("holder", HOLDERS),
    ages: list("age", AGES),
  };
}

/**
 * A colour per holder, the same wherever the holder is drawn: neighbours in the list of workers differ, and one that is gone has
 * a colour by its name.
 */
export function holderColour(holder: string, workers: readonly string[], colours: Colours): string {
  const index = workers.indexOf(holder);
  const place = index === -1 ? digestOf(holder) : index;
  return colours.holders[place % HOLDERS] ?? colours.faint;
}

/** A whole number that is the same for the same text. */
function digestOf(text: string): number {
  let digest = 7;
  for (let at = 0; at < text.length; at++) digest = (digest * 31 + text.charCodeAt(at)) % 65_521;
  return digest;
}
