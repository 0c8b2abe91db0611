import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import { parseDuration } from "../../../crds/duration.ts";
import { EnvironmentReader } from "../../../runtime/environment.ts";

describe("an environment", () => {
  test("gives what it holds, else the default", () => {
    const environment = new EnvironmentReader({ NAME: "madrid", PORT: "8081", EMPTY: "", INTERVAL: "250ms" });
    expect(environment.text("NAME", "a name")).toBe("madrid");
    expect(environment.text("EMPTY", "a name", "paris")).toBe("paris");
    expect(environment.optional("EMPTY")).toBeUndefined();
    expect(environment.integer("PORT", { min: 0, max: 65_535 }, 8_080)).toBe(8_081);
    expect(environment.integer("OTHER_PORT", { min: 0, max: 65_535 }, 8_080)).toBe(8_080);
    expect(environment.parsed("INTERVAL", 5_000, parseDuration)).toBe(250);
    expect(environment.oneOf("LEVEL", ["info", "debug"], "info")).toBe("info");
    expect(() => environment.finish()).not.toThrow();
  });

  test("tells all its mistakes at once, each with what to write", () => {
    const environment = new EnvironmentReader({ PORT: "http", INTERVAL: "5", LEVEL: "loud" });
    environment.text("DATABASE_URL", "the database's URL");
    environment.integer("PORT", { min: 0, max: 65_535 }, 8_080);
    environment.parsed("INTERVAL", 5_000, parseDuration);
    environment.oneOf("LEVEL", ["info", "debug"], "info");
    const mistakes = (() => {
      try {
        environment.finish();
        return "";
      } catch (error) {
        return (error as Error).message;
      }
    })();
    expect(mistakes).toContain("4 mistake(s)");
    expect(mistakes).toContain("DATABASE_URL is not set: set it to the database's URL");
    expect(mistakes).toContain('PORT: "http" is not a whole number from 0 to 65535, write one, such as 8080');
    expect(mistakes).toContain('INTERVAL: "5" is not a duration: write it like "200ms"');
    expect(mistakes).toContain('LEVEL: "loud" is none of info, debug');
  });
});

describe("a secret", () => {
  test("is read from a file again and again, and outlives the file's absence", () => {
    const directory = mkdtempSync(join(tmpdir(), "city-operator-secret-"));
    const file = join(directory, "url");
    writeFileSync(file, "mysql://first\n");
    const environment = new EnvironmentReader({ DATABASE_URL_FILE: file });
    const url = environment.secret("DATABASE_URL", "the database's URL");
    environment.finish();
    expect(url()).toBe("mysql://first");
    writeFileSync(file, "mysql://second");
    expect(url()).toBe("mysql://second");
    rmSync(directory, { recursive: true });
    expect(url()).toBe("mysql://second");
  });

  test("may be the variable itself", () => {
    expect(new EnvironmentReader({ FEED_URL: "mysql://feed" }).secret("FEED_URL", "a URL")()).toBe(
      "mysql://feed",
    );
  });

  test("that is not there is a mistake that names both ways", () => {
    const environment = new EnvironmentReader({});
    environment.secret("DATABASE_URL", "the database's URL");
    expect(() => environment.finish()).toThrow(
      "DATABASE_URL is not set: set it to the database's URL, or set DATABASE_URL_FILE to a file that holds it",
    );
    const other = new EnvironmentReader({ DATABASE_URL_FILE: "/nowhere/url" });
    other.secret("DATABASE_URL", "the database's URL");
    expect(() => other.finish()).toThrow("DATABASE_URL_FILE: ENOENT");
  });

  test("that need not be there is absent without its file", () => {
    const environment = new EnvironmentReader({
      FEED_URL_FILE: "/nowhere/url",
      WORKER_URL: "mysql://worker",
    });
    expect(environment.optionalSecret("FEED_URL")).toBeUndefined();
    expect(environment.optionalSecret("OPERATOR_URL")).toBeUndefined();
    expect(environment.optionalSecret("WORKER_URL")?.()).toBe("mysql://worker");
  });
});
