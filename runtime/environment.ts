import { existsSync, readFileSync } from "node:fs";
import { OperationalError } from "./errors.ts";

/** What a process is told through its environment. All mistakes are reported at once, each with what to write. */

export type Variables = Readonly<Record<string, string | undefined>>;

/** A text that may change while the process runs, as a Secret that is mounted as a file does. */
export type ChangingText = () => string;

export class EnvironmentReader {
  readonly #variables: Variables;
  readonly #mistakes: string[] = [];

  constructor(variables: Variables) {
    this.#variables = variables;
  }

  /** The variable's text; a mistake if it is neither set nor has a default. `means` completes "set it to …". */
  text(name: string, means: string, byDefault?: string): string {
    const value = this.optional(name) ?? byDefault;
    if (value !== undefined) return value;
    this.#mistakes.push(`${name} is not set: set it to ${means}`);
    return "";
  }

  /**
   * The text of `name`, or that of the file which `name`_FILE names, read again at every call; a file that is away leaves what
   * was read last.
   */
  secret(name: string, means: string): ChangingText {
    const path = this.optional(`${name}_FILE`);
    if (path === undefined) {
      const text = this.text(name, `${means}, or set ${name}_FILE to a file that holds it`);
      return () => text;
    }
    let latest = this.parsed(`${name}_FILE`, "", (file) => readFileSync(file, "utf8").trim());
    return () => {
      try {
        latest = readFileSync(path, "utf8").trim();
      } catch {
        // A Secret is replaced as a whole: the next look will find it.
      }
      return latest;
    };
  }

  /** The same for a text that need not be there: undefined without a variable, and without the file that it names. */
  optionalSecret(name: string): ChangingText | undefined {
    const path = this.optional(`${name}_FILE`);
    const isThere = path === undefined ? this.optional(name) !== undefined : existsSync(path);
    return isThere ? this.secret(name, "") : undefined;
  }

  optional(name: string): string | undefined {
    const value = this.#variables[name];
    return value === undefined || value === "" ? undefined : value;
  }

  /** The variable run through `parse`, whose error message says what to write instead. */
  parsed<Value>(name: string, byDefault: Value, parse: (text: string) => Value): Value {
    const value = this.optional(name);
    if (value === undefined) return byDefault;
    try {
      return parse(value);
    } catch (error) {
      this.#mistakes.push(`${name}: ${Error.isError(error) ? error.message : String(error)}`);
      return byDefault;
    }
  }

  integer(name: string, range: { readonly min: number; readonly max: number }, byDefault: number): number {
    return this.parsed(name, byDefault, (text) => {
      const value = Number(text);
      if (/^-?[0-9]+$/.test(text) && value >= range.min && value <= range.max) return value;
      throw new RangeError(
        `${JSON.stringify(text)} is not a whole number from ${range.min} to ${range.max}, write one, such as ${byDefault}`,
      );
    });
  }

  oneOf<Choice extends string>(name: string, choices: readonly Choice[], byDefault: Choice): Choice {
    return this.parsed(name, byDefault, (text) => {
      const choice = choices.find((candidate) => candidate === text);
      if (choice !== undefined) return choice;
      throw new RangeError(`${JSON.stringify(text)} is none of ${choices.join(", ")}`);
    });
  }

  /** Call once after all reads: throws one error (code `environment`) that lists every mistake. */
  finish(): void {
    if (this.#mistakes.length === 0) return;
    throw new OperationalError({
      code: "environment",
      remedy: "give-up",
      message: `the environment has ${this.#mistakes.length} mistake(s):\n  ${this.#mistakes.join("\n  ")}`,
    });
  }
}
