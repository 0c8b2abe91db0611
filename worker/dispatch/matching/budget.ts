import type { Deadline } from "./match.ts";

/** One unit is about what one bid of the auction takes, a tenth of a microsecond. */
const UNITS_PER_QUESTION = 64;
/** What one search for columns takes. */
export const SEARCH_UNITS = 32;

/** Asks the deadline after every few units of work; once it has passed, it stays so. */
export class Budget {
  readonly #deadline: Deadline;
  #spent = UNITS_PER_QUESTION;
  #isOver = false;

  constructor(deadline: Deadline) {
    this.#deadline = deadline;
  }

  /** Whether work must end now. */
  spend(units: number): boolean {
    this.#spent += units;
    if (this.#isOver || this.#spent < UNITS_PER_QUESTION) return this.#isOver;
    this.#spent = 0;
    this.#isOver = this.#deadline.hasPassed();
    return this.#isOver;
  }
}
