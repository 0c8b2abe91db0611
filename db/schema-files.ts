import { createHash } from "node:crypto";
import { readFile, readdir } from "node:fs/promises";
import { join } from "node:path";

/** The SQL files under `schema/`: what a person reads is what the server gets. */

export type SchemaFile = {
  /** "protocol/commit-tick.sql" */
  readonly name: string;
  /** `tables`: applied once, in order. `definition`: replaces what was there. `grants`: applied every time. */
  readonly kind: "tables" | "definition" | "grants";
  readonly statements: readonly string[];
  /** Of the statements without their comments, so that a comment may be improved. */
  readonly digest: string;
};

export type SchemaPart = "protocol" | "reference";

const SCHEMA_DIRECTORY = join(import.meta.dirname, "schema");
const END_OF_STATEMENT = /^;;[ \t]*$/m;

/** The files of one part in the order in which they are applied: tables, definitions, grants. */
export async function readSchema(part: SchemaPart): Promise<SchemaFile[]> {
  const names = (await readdir(join(SCHEMA_DIRECTORY, part))).filter((name) => name.endsWith(".sql"));
  const files = await Promise.all(
    names.map(async (name) => {
      const text = await readFile(join(SCHEMA_DIRECTORY, part, name), "utf8");
      return parseSchemaFile(`${part}/${name}`, text);
    }),
  );
  const order = ["tables", "definition", "grants"];
  return files.sort(
    (left, right) =>
      order.indexOf(left.kind) - order.indexOf(right.kind) || left.name.localeCompare(right.name),
  );
}

/** What a migration of this version has put down as applied, reference tables apart. */
export async function protocolFiles(): Promise<readonly string[]> {
  const files = await readSchema("protocol");
  return files.filter(({ kind }) => kind !== "grants").map(({ name }) => name);
}

/** Statements end with a line that is just `;;`, so that procedures keep their own semicolons. */
export function parseSchemaFile(name: string, text: string): SchemaFile {
  const statements = text
    .split(END_OF_STATEMENT)
    .map((statement) => statement.trim())
    .filter((statement) => withoutComments(statement) !== "");
  const digest = createHash("sha256").update(statements.map(withoutComments).join("\n;;\n")).digest("hex");
  const base = name.split("/").at(-1) ?? name;
  const kind = /^\d/.test(base) ? "tables" : base === "grants.sql" ? "grants" : "definition";
  return { name, kind, statements, digest };
}

/** What a CREATE PROCEDURE creates; undefined for every other statement. */
export function procedureName(statement: string): string | undefined {
  return /^CREATE PROCEDURE (?<name>\w+)/m.exec(statement)?.groups?.["name"];
}

function withoutComments(statement: string): string {
  const lines = statement.split("\n").filter((line) => !/^\s*(--.*)?$/.test(line));
  return lines.join("\n").trim();
}
