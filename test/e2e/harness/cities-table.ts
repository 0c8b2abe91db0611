/** What kubectl prints of Cities, with what differs from run to run replaced by what it is. */

export function maskCities(table: string): string {
  const lines = table.trimEnd().split("\n");
  const [header = "", ...rows] = lines;
  const starts = [...header.matchAll(/\S+(?: \S+)*/g)].map(({ index }) => index);
  const cellsOf = (line: string): string[] =>
    starts.map((start, column) => line.slice(start, starts[column + 1]).trim());
  const columns = cellsOf(header);
  const masked = rows.map((row) => cellsOf(row).map((cell, column) => mask(columns[column] ?? "", cell)));
  return [columns, ...masked].map((cells) => `${cells.join(" | ")}\n`).join("");
}

function mask(column: string, cell: string): string {
  switch (column) {
    case "AGE":
    case "LAST COMMIT":
      return /^(\d+[smh])+$/.test(cell) ? "<age>" : cell;
    case "TICK":
      return /^[1-9]\d*$/.test(cell) ? "<tick>" : cell;
    case "WORKER":
      return cell.replace(/-[0-9a-z]{5,10}-[0-9a-z]{5}-[0-9a-f]{6}$/, "-<pod>-<start>");
    default:
      return cell;
  }
}
