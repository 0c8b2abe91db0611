import { expect, test } from "@jest/globals";
import { parseSchemaFile, procedureName, readSchema } from "../../../db/schema-files.ts";

test("statements end with a line that is just two semicolons", () => {
  const { statements } = parseSchemaFile(
    "p/x.sql",
    "-- why\nSELECT 1;\nSELECT ';;';\n;;\n\n-- more\nSELECT 2\n;;\n-- the end\n",
  );
  expect(statements).toEqual(["-- why\nSELECT 1;\nSELECT ';;';", "-- more\nSELECT 2"]);
});

test("a better comment is no change, another statement is", () => {
  const digest = (text: string): string => parseSchemaFile("p/x.sql", text).digest;
  expect(digest("-- a\nSELECT 1\n;;\n")).toBe(digest("-- b\n\n-- c\nSELECT 1\n;;\n"));
  expect(digest("SELECT 1\n;;\n")).not.toBe(digest("SELECT 2\n;;\n"));
});

test.each(["protocol", "reference"] as const)("every statement of the %s schema is whole", async (part) => {
  const files = await readSchema(part);
  expect(files.map(({ kind }) => kind)).toEqual(
    files.map(({ kind }) => kind).toSorted((a, b) => rank(a) - rank(b)),
  );
  for (const { name, statements } of files) {
    expect([name, statements.length]).not.toEqual([name, 0]);
    for (const statement of statements) {
      expect(statement).toMatch(
        /^(--.*\n|\s*\n)*(CREATE (TABLE IF NOT EXISTS|OR REPLACE|PROCEDURE)|GRANT|SET|PREPARE|EXECUTE|DEALLOCATE PREPARE) /,
      );
      if (procedureName(statement) !== undefined) expect(statement).toMatch(/^END$/m);
    }
  }
});

const rank = (kind: string): number => ["tables", "definition", "grants"].indexOf(kind);
