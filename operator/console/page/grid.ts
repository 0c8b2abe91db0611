/** Where the cities of the fleet lie on the grid, and how arrow keys go through them. Pure. Lengths in CSS pixels. */

export type GridLayout = {
  readonly columns: number;
  readonly rows: number;
  readonly cellWidth: number;
  readonly cellHeight: number;
  readonly gap: number;
  /** How much a cell says: name, holder and age; its name; nothing. */
  readonly detail: "full" | "name" | "none";
};

const FULL_MAX = 60;
const NAMES_MAX = 600;
const SMALL_FROM = 3_000;

export function layoutOf(count: number, width: number): GridLayout {
  if (count <= FULL_MAX) return fill(count, width, { least: 150, height: 58, gap: 8, detail: "full" });
  if (count <= NAMES_MAX) return fill(count, width, { least: 96, height: 24, gap: 4, detail: "name" });
  const side = count < SMALL_FROM ? 16 : 11;
  return { ...fill(count, width, { least: side, height: side, gap: 2, detail: "none" }), cellWidth: side };
}

function fill(
  count: number,
  width: number,
  cell: {
    readonly least: number;
    readonly height: number;
    readonly gap: number;
    readonly detail: GridLayout["detail"];
  },
): GridLayout {
  const columns = Math.max(1, Math.floor((width + cell.gap) / (cell.least + cell.gap)));
  return {
    columns,
    rows: Math.ceil(count / columns),
    cellWidth: Math.min(240, Math.floor((width + cell.gap) / columns) - cell.gap),
    cellHeight: cell.height,
    gap: cell.gap,
    detail: cell.detail,
  };
}

export function heightOf({ rows, cellHeight, gap }: GridLayout): number {
  return Math.max(0, rows * (cellHeight + gap) - gap);
}

export function cornerOf(index: number, layout: GridLayout): { readonly x: number; readonly y: number } {
  const { columns, cellWidth, cellHeight, gap } = layout;
  return {
    x: (index % columns) * (cellWidth + gap),
    y: Math.floor(index / columns) * (cellHeight + gap),
  };
}

/** Undefined: there is none. */
export function indexAt(
  point: { readonly x: number; readonly y: number },
  count: number,
  layout: GridLayout,
): number | undefined {
  const column = Math.floor(point.x / (layout.cellWidth + layout.gap));
  const row = Math.floor(point.y / (layout.cellHeight + layout.gap));
  const index = row * layout.columns + column;
  return column >= 0 && column < layout.columns && row >= 0 && index < count ? index : undefined;
}

/** Where a key leads; undefined: the key is none of the grid's. */
export function indexAfterKey(
  key: string,
  index: number,
  count: number,
  layout: GridLayout,
): number | undefined {
  const page = layout.columns * 10;
  const steps: Readonly<Record<string, number>> = {
    ArrowLeft: -1,
    ArrowRight: 1,
    ArrowUp: -layout.columns,
    ArrowDown: layout.columns,
    PageUp: -page,
    PageDown: page,
    Home: -count,
    End: count,
  };
  const step = steps[key];
  return step === undefined ? undefined : Math.min(count - 1, Math.max(0, index + step));
}
