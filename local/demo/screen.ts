/**
 * Where the demo writes: a terminal shows a picture that is drawn over again, anything else gets plain lines.
 */
export type Screen = {
  /** A line that stays. */
  line(text: string): void;
  /** Replaces the picture before; without a terminal, only `plain` is written. */
  draw(lines: readonly string[], plain: string): void;
  /** Leaves the last picture standing and gives the terminal back. */
  close(): void;
};

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
    draw(lines, plain) {
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
    close() {
      if (hasDrawn) output.write(SHOW_CURSOR);
    },
  };
}
