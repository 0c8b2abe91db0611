/** A terminal that shows one page, drawn over again; anything else gets pages or lines one after the other. */
export type Screen = {
  /** A line that stays. */
  line(text: string): void;
  /** Replaces the page before; without a terminal, `plain` is written instead, which is the whole page unless told otherwise. */
  draw(lines: readonly string[], plain?: string): void;
  /** How many lines a page can have. */
  lines(): number;
  /** Leaves the last page standing and gives the terminal back. */
  close(): void;
};

const LINES_WITHOUT_TERMINAL = 50;
const CURSOR_HOME = "\u001B[H";
const CLEAR_LINE = "\u001B[K";
const CLEAR_BELOW = "\u001B[J";
const CLEAR_ALL = "\u001B[2J";
const HIDE_CURSOR = "\u001B[?25l";
const SHOW_CURSOR = "\u001B[?25h";

export function createScreen(output: NodeJS.WriteStream): Screen {
  let hasDrawn = false;
  return {
    line(text) {
      output.write(`${text}\n`);
    },
    draw(lines, plain = `${lines.join("\n")}\n`) {
      if (!output.isTTY) {
        output.write(`${plain}\n`);
        return;
      }
      const start = hasDrawn ? CURSOR_HOME : HIDE_CURSOR + CLEAR_ALL + CURSOR_HOME;
      hasDrawn = true;
      const shown = lines
        .slice(0, output.rows - 1)
        .map((line) => line.slice(0, output.columns - 1) + CLEAR_LINE);
      output.write(`${start}${shown.join("\n")}\n${CLEAR_BELOW}`);
    },
    lines: () => (output.isTTY ? output.rows - 1 : LINES_WITHOUT_TERMINAL),
    close() {
      if (hasDrawn) output.write(SHOW_CURSOR);
    },
  };
}
