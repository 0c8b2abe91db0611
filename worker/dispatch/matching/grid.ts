/** The rectangle that most columns lie in, in metres. What lies outside counts to the cell at the border next to it. */
export type Frame = {
  readonly west: number;
  readonly south: number;
  readonly width: number;
  readonly height: number;
};

/** How many columns a cell holds on average. */
const COLUMNS_PER_CELL = 2;
const CELLS_PER_SIDE_MAX = 256;
/** Columns that tell where most lie: those that come first by the hash of their ids are as good as any. */
const SAMPLE_MAX = 1_024;

/** Without the outermost hundredth on each side: one phone that reports 0°, 0° must not make all cells as large as oceans. */
export function frameOf(x: Float64Array, y: Float64Array): Frame {
  const [west, east] = middleOf(x);
  const [south, north] = middleOf(y);
  return { west, south, width: Math.max(1, east - west), height: Math.max(1, north - south) };
}

function middleOf(values: Float64Array): readonly [number, number] {
  const sorted = values.slice(0, SAMPLE_MAX).sort();
  const outermost = Math.floor(sorted.length / 100);
  return [sorted[outermost] ?? 0, sorted[sorted.length - 1 - outermost] ?? 0];
}

/**
 * Columns by place, in square cells. Cells are visited in rings around a place, ring 0 being its own cell. Since clamping a
 * place into the frame brings no two places further apart, a distance to a cell is a lower bound for all that counts to it.
 */
export class ColumnGrid {
  readonly cellsEast: number;
  readonly cellsNorth: number;
  /** The columns of cell `c` are `items[starts[c]]` to `items[starts[c + 1] - 1]`. */
  readonly starts: Int32Array;
  readonly items: Int32Array;
  /** What the columns' prices are at least, as last noted. */
  leastPrice = 0;
  readonly #frame: Frame;
  readonly #cellMeters: number;

  constructor(columns: Int32Array, x: Float64Array, y: Float64Array, frame: Frame) {
    const { width, height } = frame;
    const area = (width * height * COLUMNS_PER_CELL) / Math.max(1, columns.length);
    this.#frame = frame;
    this.#cellMeters = Math.max(Math.sqrt(area), width / CELLS_PER_SIDE_MAX, height / CELLS_PER_SIDE_MAX);
    this.cellsEast = Math.ceil(width / this.#cellMeters);
    this.cellsNorth = Math.ceil(height / this.#cellMeters);
    const cells = this.cellsEast * this.cellsNorth;
    this.starts = new Int32Array(cells + 1);
    this.items = new Int32Array(columns.length);
    const cellOf = columns.map((column) => this.cellAt(x[column] ?? 0, y[column] ?? 0));
    for (const cell of cellOf) this.starts[cell + 1] = (this.starts[cell + 1] ?? 0) + 1;
    for (let cell = 0; cell < cells; cell++) {
      this.starts[cell + 1] = (this.starts[cell + 1] ?? 0) + (this.starts[cell] ?? 0);
    }
    const next = this.starts.slice();
    columns.forEach((column, index) => {
      const cell = cellOf[index] ?? 0;
      const place = next[cell] ?? 0;
      this.items[place] = column;
      next[cell] = place + 1;
    });
  }

  cellAt(x: number, y: number): number {
    return this.northOf(y) * this.cellsEast + this.eastOf(x);
  }

  eastOf(x: number): number {
    return clamp(Math.floor((x - this.#frame.west) / this.#cellMeters), this.cellsEast - 1);
  }

  northOf(y: number): number {
    return clamp(Math.floor((y - this.#frame.south) / this.#cellMeters), this.cellsNorth - 1);
  }

  /** From a place to all columns of ring `ring` around it and beyond; Infinity when there is no such cell. */
  metersToRing(x: number, y: number, ring: number): number {
    if (ring === 0) return 0;
    const { west, south, width, height } = this.#frame;
    const size = this.#cellMeters;
    const east = this.eastOf(x);
    const north = this.northOf(y);
    const fromWest = clamp(x - west, width);
    const fromSouth = clamp(y - south, height);
    let nearest = Infinity;
    if (east - ring >= 0) nearest = Math.min(nearest, fromWest - (east - ring + 1) * size);
    if (north - ring >= 0) nearest = Math.min(nearest, fromSouth - (north - ring + 1) * size);
    if (east + ring < this.cellsEast) nearest = Math.min(nearest, (east + ring) * size - fromWest);
    if (north + ring < this.cellsNorth) nearest = Math.min(nearest, (north + ring) * size - fromSouth);
    return Math.max(0, nearest);
  }

  /** Prices may rise afterwards without harm; when one falls, they are to be noted again. */
  notePrices(price: Float64Array): void {
    this.leastPrice = Infinity;
    for (const column of this.items) {
      this.leastPrice = Math.min(this.leastPrice, price[column] ?? 0);
      // No price is negative.
      if (this.leastPrice === 0) return;
    }
  }
}

function clamp(value: number, max: number): number {
  return Math.min(Math.max(0, value), max);
}
