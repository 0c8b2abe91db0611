/** How times, names and tables look on a terminal of a hundred columns. Pure. */

/** Milliseconds → as kubectl writes an age: "5s", "12m", "3h", "2d". */
export function ageText(ageMs: number): string {
  const seconds = Math.max(0, Math.round(ageMs / 1_000));
  if (seconds < 120) return `${seconds}s`;
  if (seconds < 7_200) return `${Math.floor(seconds / 60)}m`;
  if (seconds < 172_800) return `${Math.floor(seconds / 3_600)}h`;
  return `${Math.floor(seconds / 86_400)}d`;
}

/** The age of an RFC 3339 time; "-" where there is none. */
export function sinceText(time: string | undefined, nowMs: number): string {
  const timeMs = Date.parse(time ?? "");
  return Number.isNaN(timeMs) ? "-" : ageText(nowMs - timeMs);
}

/** Rows under headings, each column as wide as its widest cell. */
export function table(headings: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const lines = [headings, ...rows];
  const widths = headings.map((_, column) => Math.max(...lines.map((cells) => cells[column]?.length ?? 0)));
  return lines.map((cells) =>
    cells
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd(),
  );
}

/** "label  text", the text broken between words to stay within the width and under itself. */
export function labelled(label: string, text: string, labelWidth = 14, width = 100): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && labelWidth + line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  lines.push(line);
  return lines.map(
    (part, index) => `${index === 0 ? label.padEnd(labelWidth) : " ".repeat(labelWidth)}${part}`,
  );
}

const NAME_LENGTH_MAX = 20;

/**
 * Workers' ids without the beginning that all of them share, where they would be too long for a table: what is left names a worker
 * as well, for every command takes the end of an id.
 */
export function shortNames(ids: readonly string[]): (id: string) => string {
  const split = ids.map((id) => id.split("-"));
  const [first = []] = split;
  // A Pod's own part and the process's digits always stay.
  let shared = 0;
  while (split.every((parts) => shared + 2 < parts.length && parts[shared] === first[shared])) shared += 1;
  const isLong = ids.some((id) => id.length > NAME_LENGTH_MAX);
  return (id) => (isLong && ids.length > 1 ? id.split("-").slice(shared).join("-") : id);
}
