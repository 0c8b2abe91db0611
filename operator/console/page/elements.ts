/** Small things about the page's elements. */

/** An element that `page.html` has under this id. */
export function byId<Kind extends HTMLElement>(id: string, kind: new () => Kind): Kind {
  const found = document.getElementById(id);
  if (!(found instanceof kind)) throw new TypeError(`page.html has no ${kind.name} with id ${id}`);
  return found;
}

export type Cell = {
  readonly text: string;
  readonly href?: string;
  /** A class of the cell. */
  readonly look?: string;
  /** Classes of a label around the text. */
  readonly badge?: string;
  /** Whoever draws the table listens for its clicks. */
  readonly isButton?: boolean;
};

export type RowOf = { readonly key: string; readonly cells: readonly Cell[]; readonly isMarked?: boolean };

/** Makes the body's rows be these. Rows that stay keep their elements, and with them focus and selection. */
export function fillRows(body: HTMLElement, rows: readonly RowOf[]): void {
  const there = new Map([...body.children].map((row) => [(row as HTMLElement).dataset["key"] ?? "", row]));
  const wanted = new Set(rows.map(({ key }) => key));
  for (const [key, row] of there) if (!wanted.has(key)) row.remove();
  rows.forEach((row, index) => {
    const element = there.get(row.key) ?? makeRow(row);
    if (body.children[index] !== element) body.insertBefore(element, body.children[index] ?? null);
    element.classList.toggle("marked", row.isMarked ?? false);
    row.cells.forEach((cell, column) => {
      const place = element.children[column];
      if (place instanceof HTMLElement) fillCell(place, cell);
    });
  });
}

function makeRow({ key, cells }: RowOf): HTMLElement {
  const row = document.createElement("tr");
  row.dataset["key"] = key;
  cells.forEach((cell, column) => {
    const place = document.createElement(column === 0 ? "th" : "td");
    if (column === 0) place.scope = "row";
    if (cell.href !== undefined) place.append(document.createElement("a"));
    else if (cell.isButton ?? false) place.append(document.createElement("button"));
    else if (cell.badge !== undefined) place.append(document.createElement("span"));
    row.append(place);
  });
  return row;
}

function fillCell(place: HTMLElement, cell: Cell): void {
  const inner = place.firstElementChild;
  const target = inner instanceof HTMLElement ? inner : place;
  setText(target, cell.text);
  if (
    inner instanceof HTMLAnchorElement &&
    cell.href !== undefined &&
    inner.getAttribute("href") !== cell.href
  )
    inner.href = cell.href;
  if (inner !== null && cell.badge !== undefined && inner.className !== cell.badge)
    inner.className = cell.badge;
  const look = cell.look ?? "";
  if (place.className !== look) place.className = look;
}

/** The key of the row whose button was clicked. */
export function keyOfClick(event: Event): string | undefined {
  const button = event.target instanceof Element ? event.target.closest("button") : null;
  return button?.closest("tr")?.dataset["key"];
}

export function setText(element: HTMLElement, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

/** Facts as pairs of a word and what it is. */
export function fillFacts(list: HTMLElement, facts: readonly (readonly [string, string])[]): void {
  while (list.children.length > facts.length) list.lastElementChild?.remove();
  facts.forEach(([word, value], index) => {
    let pair = list.children[index];
    if (pair === undefined) {
      pair = document.createElement("div");
      pair.append(document.createElement("dt"), document.createElement("dd"));
      list.append(pair);
    }
    const [term, description] = pair.children;
    if (term instanceof HTMLElement) setText(term, word);
    if (description instanceof HTMLElement) setText(description, value);
  });
}

/** A canvas's drawing context, sized to the canvas's place on the page in device pixels, with CSS pixels as its unit. */
export function contextOf(
  canvas: HTMLCanvasElement,
  size: { readonly width: number; readonly height: number },
): CanvasRenderingContext2D {
  const scale = devicePixelRatio;
  const width = Math.max(1, Math.round(size.width * scale));
  const height = Math.max(1, Math.round(size.height * scale));
  if (canvas.width !== width) canvas.width = width;
  if (canvas.height !== height) canvas.height = height;
  canvas.style.height = `${size.height}px`;
  const context = canvas.getContext("2d");
  if (context === null) throw new TypeError("this browser draws on no canvas");
  context.setTransform(scale, 0, 0, scale, 0, 0);
  context.clearRect(0, 0, size.width, size.height);
  return context;
}
