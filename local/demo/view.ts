/** What the demo shows, as lines of text. Pure. */

export type CityRow = {
  /** The line of `kubectl get cities` for this city, in its columns. */
  readonly columns: readonly string[];
  readonly openOrders: number | undefined;
  readonly oldestUnassignedSeconds: number | undefined;
  readonly lastTickAgeSeconds: number | undefined;
  readonly delivered: number | undefined;
};

export type FleetPicture = {
  /** Headings of `kubectl get cities`. */
  readonly headings: readonly string[];
  readonly cities: readonly CityRow[];
  readonly events: readonly string[];
  readonly elapsedSeconds: number;
};

const OWN_HEADINGS = ["OPEN ORDERS", "OLDEST UNASSIGNED", "TICK AGE", "DELIVERED"];

/** The text of `kubectl get`, whose columns are parted by two or more spaces and may be empty. */
export function parseTable(text: string): { readonly headings: string[]; readonly rows: string[][] } {
  const [header = "", ...lines] = text.split("\n").filter((line) => line.trim() !== "");
  const starts = [...header.matchAll(/\S+(?: \S+)*/g)].map((match) => match.index);
  const cut = (line: string): string[] =>
    starts.map((start, index) => line.slice(start, starts[index + 1]).trim());
  return { headings: cut(header), rows: lines.map(cut) };
}

export function formatFleet(picture: FleetPicture): string[] {
  const table = [
    [...picture.headings, ...OWN_HEADINGS],
    ...picture.cities.map((city) => [
      ...city.columns,
      formatCount(city.openOrders),
      formatSeconds(city.oldestUnassignedSeconds),
      formatSeconds(city.lastTickAgeSeconds),
      formatCount(city.delivered),
    ]),
  ];
  const widths = (table[0] ?? []).map((_, column) =>
    Math.max(...table.map((row) => row[column]?.length ?? 0)),
  );
  return table.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("   ")
      .trimEnd(),
  );
}

/** One line for those who read a log instead of a screen. */
export function summarizeFleet(picture: FleetPicture): string {
  const cities = picture.cities.map((city) => {
    const name = city.columns[0] ?? "";
    return `${name} ${formatCount(city.openOrders)} open, tick ${formatSeconds(city.lastTickAgeSeconds)} ago`;
  });
  return `${Math.round(picture.elapsedSeconds)} s: ${cities.join("; ")}`;
}

function formatCount(count: number | undefined): string {
  return count === undefined ? "-" : String(count);
}

function formatSeconds(seconds: number | undefined): string {
  return seconds === undefined ? "-" : `${seconds.toFixed(1)}s`;
}
