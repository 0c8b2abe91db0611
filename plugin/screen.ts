/** A page that is drawn over the one before; where there is no terminal, pages follow each other. */
export type Screen = {
  draw(lines: readonly string[]): void;
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
    draw(lines) {
      if (!output.isTTY) {
        output.write(`${lines.join("\n")}\n\n`);
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
